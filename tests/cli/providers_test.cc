// The runtime's library and the devices that the commands take.

#include <gtest/gtest.h>

#include <filesystem>

#include "cli/run_command.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/runtime.h"
#include "support/source_tree.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;
using testing::kSource;
using testing::run_quantsearch;
using testing::RunResult;

const std::string kResnet = kSource / "tests/data/resnet8.onnx";
const std::string kCalibrationImages = kSource / "examples/fashion_mnist/calibration_100.npz";

TEST(Providers, AreListedWithTheirLibraryAndDevices) {
  const RunResult result = run_quantsearch({"inspect", "--providers"}, "/", {.columns = "1000"});
  EXPECT_EQ(result.exit_code, 0) << result.error;
  const RuntimeLibrary library = runtime_library();
  EXPECT_TRUE(result.out.starts_with("ONNX Runtime " + library.version + " of /")) << result.out;
  EXPECT_NE(result.out.find("\nCPUExecutionProvider            cpu\n"), std::string::npos)
      << result.out;
}

TEST(Providers, AreListedAsJson) {
  const RunResult result = run_quantsearch({"inspect", "--providers", "--json"}, "/");
  const Value value = parse_json(result.out, "inspect");
  EXPECT_EQ(value.find("version")->as_string(), runtime_library().version);
  EXPECT_TRUE(fs::exists(value.find("library")->as_string()));
  const Value& last = value.find("providers")->as_list().back();
  EXPECT_EQ(last.find("name")->as_string(), "CPUExecutionProvider");
  EXPECT_EQ(last.find("device")->as_string(), "cpu");
}

TEST(Providers, TakeNoModelAndInspectTakesOne) {
  EXPECT_EQ(run_quantsearch({"inspect", kResnet, "--providers"}, "/").exit_code, 2);
  const RunResult nothing = run_quantsearch({"inspect"}, "/");
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_NE(nothing.error.find("MODEL is required"), std::string::npos) << nothing.error;
}

TEST(RuntimeRoot, ChoosesTheLibraryOfAPythonPackage) {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "capi");
  const fs::path file = folder.path() / "capi" / "libonnxruntime.so.1.29.0";
  fs::create_symlink(runtime_library().file, file);
  const RunResult result = run_quantsearch({"inspect", "--providers", "--json"}, "/",
                                           {.runtime = folder.path().string()});
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(parse_json(result.out, "inspect").find("library")->as_string(), file.string());
}

TEST(RuntimeRoot, RefusesAnOldLibraryBeforeAnythingElse) {
  const RunResult result = run_quantsearch({"search", kResnet, "--calibration", kCalibrationImages},
                                           "/", {.runtime = QUANTSEARCH_OLD_RUNTIME});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.error, "quantsearch: runtime library: '" QUANTSEARCH_OLD_RUNTIME
                          "' is ONNX Runtime 1.19.2, expected 1.20 or later\n");
}

TEST(RuntimeRoot, NamesThePlacesOfAMissingLibrary) {
  const RunResult result = run_quantsearch({"presets"}, "/", {.runtime = "/nowhere"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_TRUE(
      result.error.starts_with("quantsearch: runtime library: found no libonnxruntime.so "
                               "in '/nowhere' or its folders lib, "))
      << result.error;
}

TEST(RuntimeRoot, TheVersionIsShownWithoutALibrary) {
  const RunResult result = run_quantsearch({"--version"}, "/", {.runtime = "/nowhere"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_NE(result.out.find(" without ONNX Runtime: runtime library: found no "), std::string::npos)
      << result.out;
}

TEST(Devices, ASearchWithoutTheProviderIsRefusedBeforeItBegins) {
  const RuntimeLibrary library = runtime_library();
  if (library.providers.size() > 1) GTEST_SKIP() << "this runtime has other providers";
  for (const char* devices : {"openvino:CPU", "openvino:GPU.0,GPU.1"}) {
    const TemporaryFolder folder;
    const RunResult result = run_quantsearch(
        {"search", kResnet, "--calibration", kCalibrationImages, "--devices", devices},
        folder.path());
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_TRUE(result.error.starts_with("quantsearch: ONNX Runtime " + library.version +
                                         " has no OpenVINOExecutionProvider, which the device "
                                         "'openvino:"))
        << result.error;
    EXPECT_FALSE(fs::exists(folder.path() / "quantsearch_output"));
  }
}

TEST(Devices, EvaluateTakesOne) {
  const std::vector<std::string> evaluate = {"evaluate",         kResnet,   kResnet, "--data",
                                             kCalibrationImages, "--limit", "2",     "--device"};
  std::vector<std::string> arguments = evaluate;
  arguments.emplace_back("cuda:0,1");
  EXPECT_EQ(run_quantsearch(arguments, "/").error,
            "quantsearch: --device: got 'cuda:0,1', expected one device\n");
  arguments.back() = "cpu";
  EXPECT_EQ(run_quantsearch(arguments, "/").exit_code, 0);
  if (runtime_library().providers.size() > 1) return;
  arguments.back() = "cuda:0";
  const RunResult refused = run_quantsearch(arguments, "/");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.error.find(" has no CUDAExecutionProvider, "), std::string::npos)
      << refused.error;
}

}  // namespace
}  // namespace quantsearch
