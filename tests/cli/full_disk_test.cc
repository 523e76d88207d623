// A disk that fills up in the middle of a search.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "cli/made_inputs.h"
#include "cli/run_command.h"
#include "quantsearch/base/files.h"
#include "quantsearch/base/value.h"

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

  /// The journal's lines, each of them whole.
  [[nodiscard]] std::vector<Value> journal() const {
    std::istringstream lines(read_file(in("out/trials.jsonl")));
    std::vector<Value> values;
    for (std::string line; std::getline(lines, line);)
      values.push_back(parse_json(line, "journal"));
    return values;
  }

  void expect_no_partial_file() const {
    for (const auto& [name, content] : testing::content_of(in("out")))
      EXPECT_EQ(name.find(".partial"), std::string::npos) << name;
  }

  TemporaryFolder folder_;
};

TEST_F(FullDisk, UnderTheBestModelKeepsTheLastWholeOneAndResumes) {
  const std::string model = std::string(QUANTSEARCH_SOURCE_DIR) + "/tests/data/resnet8.onnx";
  const std::string data =
      std::string(QUANTSEARCH_SOURCE_DIR) + "/examples/fashion_mnist/calibration_100.npz";
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
  EXPECT_EQ(journal().size(), 3U);  // its header and both trials
  expect_no_partial_file();

  const RunResult resumed = search(model, data, "out", {"--resume"}, std::nullopt);
  EXPECT_EQ(resumed.exit_code, 0) << resumed.error;
  EXPECT_EQ(read_file(in("out/best.onnx")), wide);
  EXPECT_EQ(load_config_file(in("out/results.json")).find("trials")->as_list().size(), 2U);
}

TEST_F(FullDisk, UnderTheJournalKeepsWholeLinesAndResumes) {
  write_config(
      "search_space: {activation_type: [QUInt8, QInt8, QInt16, QUInt16], calibrate_method: "
      "[MinMax, Entropy]}\n"
      "search_metric_tolerance: 1000\n");
  ASSERT_EQ(search("model.onnx", "data.npz", "whole", {}, std::nullopt).exit_code, 0);
  const auto largest_model = static_cast<std::int64_t>(fs::file_size(in("whole/best.onnx")));
  const auto whole_journal = static_cast<std::int64_t>(fs::file_size(in("whole/trials.jsonl")));
  const std::int64_t room = whole_journal / 2;
  ASSERT_GT(room, 2 * largest_model);

  const RunResult full = search("model.onnx", "data.npz", "out", {}, room);
  EXPECT_EQ(full.exit_code, 2);
  EXPECT_EQ(full.error,
            "quantsearch: search: study journal 'out/trials.jsonl' cannot be written: File too "
            "large; the finished trials are "
            "kept in 'out', make room and continue with --resume\n");
  const std::size_t kept = journal().size();
  EXPECT_GT(kept, 2U);
  EXPECT_EQ(read_file(in("out/trials.jsonl")).back(), '\n');
  expect_no_partial_file();

  const RunResult resumed = search("model.onnx", "data.npz", "out", {"--resume"}, std::nullopt);
  EXPECT_EQ(resumed.exit_code, 0) << resumed.error;
  EXPECT_GT(journal().size(), kept);
  EXPECT_EQ(read_file(in("out/best.onnx")), read_file(in("whole/best.onnx")));
  EXPECT_EQ(load_config_file(in("out/results.json")).find("trials")->as_list().size(),
            load_config_file(in("whole/results.json")).find("trials")->as_list().size());
}

}  // namespace
}  // namespace quantsearch
