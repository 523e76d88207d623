// A disk that fills up in the middle of a search.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "cli/made_inputs.h"
#include "cli/run_command.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;
using testing::run_quantsearch;
using testing::RunResult;

/// A search that costs little: 8-bit weights first, then the better and larger model with 16 bits.
class FullDisk : public ::testing::Test {
 protected:
  FullDisk() {
    testing::write_model(folder_.path() / "model.onnx", testing::small_model());
    testing::write_arrays(folder_.path() / "data.npz",
                          {{"x", Tensor::of<float>({6, 4}, testing::sample_values())}});
  }

  RunResult search(const std::string& model, const std::string& data, const std::string& output,
                   const std::vector<std::string>& more,
                   std::optional<std::int64_t> largest_file_bytes) const {
    std::vector<std::string> arguments = {"search",   model,          "--calibration",
                                          data,       "--evaluation", data,
                                          "--limit",  "20",           "--evaluation-limit",
                                          "20",       "--config",     "config.yaml",
                                          "--output", output,         "--quiet"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_quantsearch(arguments, folder_.path(), {.largest_file_bytes = largest_file_bytes});
  }

  void write_config(const std::string& yaml) const {
    write_file_atomically(folder_.path() / "config.yaml", yaml);
  }
  [[nodiscard]] fs::path in(const std::string& file) const { return folder_.path() / file; }

  /// Finished trials in the study.
  [[nodiscard]] std::size_t kept_trials() const {
    const RunResult report = run_quantsearch({"report", "out/study.db", "--json"}, folder_.path());
    EXPECT_EQ(report.exit_code, 0) << report.error;
    return parse_json(report.out, "report").find("trials")->as_list().size();
  }

  void expect_no_partial_file() const {
    for (const auto& [name, content] : testing::content_of(in("out")))
      EXPECT_EQ(name.find(".partial"), std::string::npos) << name;
  }

  TemporaryFolder folder_;
};

TEST_F(FullDisk, UnderTheBestModelKeepsTheLastWholeOneAndResumes) {
  // Models that are larger than the study.
  testing::ModelBuilder builder;
  builder.input("x", {-1, 4});
  builder.random_weight("w", {4, 150'000}, 1, 3);
  builder.output(builder.node("MatMul", {"x", "w"}, {}, "y"), {-1, 150'000});
  testing::write_model(in("wide.onnx"), builder.build());
  const std::string model = "wide.onnx";
  const std::string data = "data.npz";
  write_config("search_space: {weight_type: [QInt8, QInt16]}\nsearch_metric_tolerance: 1000\n");
  ASSERT_EQ(search(model, data, "whole", {}, std::nullopt).exit_code, 0);
  const std::string narrow = read_file(in("whole/candidates/0000.onnx"));
  const std::string wide = read_file(in("whole/best.onnx"));
  ASSERT_LT(narrow.size(), wide.size());

  const auto room = static_cast<std::int64_t>((narrow.size() + wide.size()) / 2);
  const RunResult full = search(model, data, "out", {}, room);
  EXPECT_EQ(full.exit_code, 2);
  EXPECT_EQ(full.error,
            "quantsearch: search: file 'out/best.onnx' cannot be written: File too large; the "
            "finished trials are kept in "
            "'out', make room and continue with --resume\n");
  EXPECT_EQ(read_file(in("out/best.onnx")), narrow);
  EXPECT_EQ(kept_trials(), 2U);
  expect_no_partial_file();

  const RunResult resumed = search(model, data, "out", {"--resume"}, std::nullopt);
  EXPECT_EQ(resumed.exit_code, 0) << resumed.error;
  EXPECT_EQ(read_file(in("out/best.onnx")), wide);
  EXPECT_EQ(load_config_file(in("out/results.json")).find("trials")->as_list().size(), 2U);
}

TEST_F(FullDisk, UnderTheStudyKeepsFinishedTrialsAndResumes) {
  write_config(
      "search_space: {activation_type: [QUInt8, QInt8, QInt16, QUInt16], calibrate_method: "
      "[MinMax, Entropy]}\n"
      "search_metric_tolerance: 1000\n");
  ASSERT_EQ(search("model.onnx", "data.npz", "whole", {}, std::nullopt).exit_code, 0);
  // The database itself has room, its write-ahead log has not.
  const auto room = static_cast<std::int64_t>(fs::file_size(in("whole/study.db")) + 150'000);

  const RunResult full = search("model.onnx", "data.npz", "out", {}, room);
  EXPECT_EQ(full.exit_code, 2);
  EXPECT_EQ(full.error,
            "quantsearch: search: study database 'out/study.db' failed: disk I/O error; the "
            "finished trials are "
            "kept in 'out', make room and continue with --resume\n");
  const std::size_t kept = kept_trials();
  EXPECT_GT(kept, 1U);
  expect_no_partial_file();

  const RunResult resumed = search("model.onnx", "data.npz", "out", {"--resume"}, std::nullopt);
  EXPECT_EQ(resumed.exit_code, 0) << resumed.error;
  EXPECT_GT(kept_trials(), kept);
  EXPECT_EQ(read_file(in("out/best.onnx")), read_file(in("whole/best.onnx")));
  EXPECT_EQ(load_config_file(in("out/results.json")).find("trials")->as_list().size(),
            load_config_file(in("whole/results.json")).find("trials")->as_list().size());
}

}  // namespace
}  // namespace quantsearch
