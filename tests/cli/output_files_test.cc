// Where results go: no device, pipe or folder is replaced by a file, symbolic links are followed, a
// file that exists stays without --overwrite; and failures as JSON.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "cli/made_inputs.h"
#include "cli/run_command.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;
using testing::content_of;
using testing::run_quantsearch;
using testing::RunOptions;
using testing::RunResult;
using testing::sample_values;
using testing::small_model;
using testing::write_arrays;
using testing::write_model;

class OutputFiles : public ::testing::Test {
 protected:
  OutputFiles() {
    write_model(folder_.path() / "model.onnx", small_model());
    write_arrays(folder_.path() / "data.npz", {{"x", Tensor::of<float>({6, 4}, sample_values())}});
  }

  [[nodiscard]] RunResult quantize(const std::string& output,
                                   const std::vector<std::string>& more = {},
                                   const RunOptions& options = {}) const {
    std::vector<std::string> arguments = {"quantize", "model.onnx", "--calibration",
                                          "data.npz", "--output",   output};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_quantsearch(arguments, folder_.path(), options);
  }

  [[nodiscard]] RunResult search(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {
        "search",       "model.onnx", "--calibration",     "data.npz",
        "--evaluation", "data.npz",   "--iteration-limit", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_quantsearch(arguments, folder_.path());
  }

  [[nodiscard]] fs::path file(const std::string& name) const { return folder_.path() / name; }
  void make_pipe(const std::string& name) const {
    ASSERT_EQ(::mkfifo(file(name).c_str(), 0600), 0);
  }

  TemporaryFolder folder_;
};

TEST_F(OutputFiles, QuantizeReplacesNoDeviceFolderOrPipe) {
  fs::create_directory(file("folder"));
  make_pipe("pipe");
  for (const auto& [output, kind] : std::map<std::string, std::string>{
           {"/dev/null", "a device"}, {"folder", "a folder"}, {"pipe", "a pipe"}}) {
    const RunResult result = quantize(output, {"--overwrite"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.error,
              "quantsearch: quantize: '" + output + "' is " + kind +
                  ", expected the name of a file; choose another file with --output\n");
  }
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_TRUE(fs::is_fifo(file("pipe")));
}

TEST_F(OutputFiles, QuantizeKeepsAFileThatExistsUnlessToldOtherwise) {
  write_file_atomically(file("int8.onnx"), "mine");
  const auto before = content_of(folder_.path());
  const RunResult refused = quantize("int8.onnx");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_EQ(refused.error,
            "quantsearch: quantize: output file 'int8.onnx' exists; add --overwrite to replace it, "
            "or choose another file with "
            "--output\n");
  EXPECT_EQ(content_of(folder_.path()), before);
  EXPECT_EQ(quantize("int8.onnx", {"--overwrite"}).exit_code, 0);
  EXPECT_NE(read_file(file("int8.onnx")), "mine");
}

TEST_F(OutputFiles, QuantizeWritesWhereASymbolicLinkLeads) {
  fs::create_directory(file("real"));
  fs::create_symlink("real/model.onnx", file("link.onnx"));
  ASSERT_EQ(quantize("link.onnx").exit_code, 0);
  EXPECT_TRUE(fs::is_symlink(file("link.onnx")));
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(file("real/model.onnx"))));
  // The link now leads to a file.
  EXPECT_EQ(quantize("link.onnx").exit_code, 2);
}

TEST_F(OutputFiles, AMissingPlaceForTemporaryFilesIsNamed) {
  const RunResult result = quantize("int8.onnx", {}, {.temporary = "/no/such/folder"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.error,
            "quantsearch: the folder for temporary files, '/no/such/folder' (TMPDIR), cannot be "
            "used: No such file or directory; "
            "make it, or set TMPDIR to another\n");
  EXPECT_FALSE(fs::exists(file("int8.onnx")));
}

TEST_F(OutputFiles, SearchSaysWhatIsInThePlaceOfItsFolder) {
  make_pipe("pipe");
  const RunResult device = search({"--output", "/dev/null"});
  EXPECT_EQ(device.exit_code, 2);
  EXPECT_EQ(device.error,
            "quantsearch: search: output folder '/dev/null' cannot be made: a device of that name "
            "exists; choose another with "
            "--output\n");
  EXPECT_EQ(search({"--output", "pipe"}).error,
            "quantsearch: search: output folder 'pipe' cannot be made: a pipe of that name exists; "
            "choose another with "
            "--output\n");
}

TEST_F(OutputFiles, SearchFollowsLinksToItsFolderAndItsFiles) {
  fs::create_directory(file("results"));
  fs::create_directory(file("deployed"));
  fs::create_directory_symlink("results", file("out"));
  fs::create_symlink("../deployed/model.onnx", file("results/best.onnx"));
  const RunResult result = search({"--output", "out"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  EXPECT_TRUE(fs::is_symlink(file("out")));
  EXPECT_TRUE(fs::is_symlink(file("results/best.onnx")));
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(file("deployed/model.onnx"))));
  const std::string first = read_file(file("deployed/model.onnx"));
  ASSERT_EQ(search({"--output", "out", "--overwrite"}).exit_code, 0);
  EXPECT_TRUE(fs::is_symlink(file("results/best.onnx")));
  EXPECT_EQ(read_file(file("deployed/model.onnx")), first);
}

TEST_F(OutputFiles, SearchRefusesAFolderInThePlaceOfOneOfItsFiles) {
  fs::create_directories(file("out/best.onnx"));
  const RunResult result = search({"--output", "out", "--overwrite"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.error,
            "quantsearch: search: output folder 'out': 'out/best.onnx' is a folder, expected the "
            "name of a file; choose another "
            "folder with --output\n");
}

TEST_F(OutputFiles, ALogMayGoToADeviceAndIsNeverReplaced) {
  fs::create_symlink("real.log", file("link.log"));
  EXPECT_EQ(quantize("a.onnx", {"--log", "/dev/null"}).exit_code, 0);
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_EQ(quantize("b.onnx", {"--log", "link.log"}).exit_code, 0);
  EXPECT_TRUE(fs::is_symlink(file("link.log")));
  EXPECT_GT(fs::file_size(file("real.log")), 0U);
}

TEST_F(OutputFiles, ALogInAFolderOrAPipeThatNobodyReadsIsRefused) {
  fs::create_directory(file("folder"));
  make_pipe("pipe");
  EXPECT_EQ(quantize("a.onnx", {"--log", "folder"}).error,
            "quantsearch: log: 'folder' is a folder, expected a file; choose another with --log\n");
  EXPECT_EQ(quantize("a.onnx", {"--log", "pipe"}).error,
            "quantsearch: log: 'pipe' is a pipe that nobody reads; start its reader first, or "
            "choose another file with --log\n");
}

struct Failing {
  std::string name;
  std::vector<std::string> arguments;
  std::string kind;
  std::string message;
};

class FailureAsJson : public ::testing::TestWithParam<Failing> {};

TEST_P(FailureAsJson, IsOneDocumentOnStandardOutput) {
  const TemporaryFolder folder;
  write_model(folder.path() / "model.onnx", small_model());
  write_arrays(folder.path() / "data.npz", {{"x", Tensor::of<float>({6, 4}, sample_values())}});
  std::vector<std::string> arguments = GetParam().arguments;
  arguments.emplace_back("--json");
  const RunResult result = run_quantsearch(arguments, folder.path());
  EXPECT_EQ(result.exit_code, 2);
  const Value expected =
      Value::Map{{"error", GetParam().message}, {"kind", GetParam().kind}, {"exit_code", 2}};
  EXPECT_EQ(to_json(parse_json(result.out, "stdout")), to_json(expected));
  EXPECT_NE(result.error.find(GetParam().message), std::string::npos) << result.error;
  arguments.pop_back();
  EXPECT_EQ(run_quantsearch(arguments, folder.path()).out, "");
}

const std::string kNoModel = "load: file 'none.onnx' does not exist, expected an .onnx model";

INSTANTIATE_TEST_SUITE_P(
    Commands, FailureAsJson,
    ::testing::Values(
        Failing{"Quantize",
                {"quantize", "none.onnx", "--calibration", "data.npz", "--output", "a.onnx"},
                "invalid_input",
                kNoModel},
        Failing{"Search",
                {"search", "none.onnx", "--calibration", "data.npz", "--output", "out"},
                "invalid_input",
                kNoModel},
        Failing{"Evaluate",
                {"evaluate", "none.onnx", "model.onnx", "--data", "data.npz"},
                "invalid_input",
                kNoModel},
        Failing{"Inspect", {"inspect", "none.onnx"}, "invalid_input", kNoModel},
        Failing{"Space", {"space", "none.onnx"}, "invalid_input", kNoModel},
        Failing{"Report",
                {"report", "nowhere"},
                "invalid_input",
                "report: 'nowhere' holds neither results.json nor study.db; expected the output "
                "folder of a search, a study.db, "
                "or postgresql://..."},
        Failing{"UnknownArgument",
                {"inspect", "model.onnx", "--surprise"},
                "usage",
                "The following argument was not expected: --surprise"},
        Failing{
            "FileSystem",
            {"quantize", "model.onnx", "--calibration", "data.npz", "--output", "nowhere/a.onnx"},
            "io",
            "quantize: file 'nowhere/a.onnx' cannot be written: No such file or directory; choose "
            "another file with "
            "--output"}),
    [](const ::testing::TestParamInfo<Failing>& info) { return info.param.name; });

TEST(ClosedOutput, EndsTheCommandWithoutAMessage) {
  int output[2];
  int error[2];
  ASSERT_EQ(pipe(output), 0);
  ASSERT_EQ(pipe(error), 0);
  close(output[0]);  // nobody reads, as after `quantsearch presets | head -1`
  const pid_t child = fork();
  if (child == 0) {
    dup2(output[1], STDOUT_FILENO);
    dup2(error[1], STDERR_FILENO);
    execl(QUANTSEARCH_PROGRAM, QUANTSEARCH_PROGRAM, "presets", "--json", nullptr);
    _exit(127);
  }
  close(output[1]);
  close(error[1]);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  char message = 0;
  EXPECT_EQ(read(error[0], &message, 1), 0) << "something was written to stderr";
  close(error[0]);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 141);
}

}  // namespace
}  // namespace quantsearch
