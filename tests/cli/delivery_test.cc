// What `quantize` says of a model before it writes it.

#include <gtest/gtest.h>

#include <filesystem>

#include "cli/made_inputs.h"
#include "cli/run_command.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"
#include "support/padded_model.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;
using testing::run_quantsearch;
using testing::RunResult;
using testing::sample_values;
using testing::small_model;
using testing::write_arrays;
using testing::write_model;

class Delivery : public ::testing::Test {
 protected:
  Delivery() {
    write_model(folder_.path() / "model.onnx", small_model());
    write_arrays(folder_.path() / "data.npz", {{"x", Tensor::of<float>({6, 4}, sample_values())}});
  }

  [[nodiscard]] RunResult quantize(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"quantize", "model.onnx", "--calibration",
                                          "data.npz", "--output",   "int8.onnx"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_quantsearch(arguments, folder_.path(), {.columns = "1000"});
  }

  TemporaryFolder folder_;
};

TEST_F(Delivery, QuantizeRunsTheModelOnItsSamplesAndSaysWhatItFound) {
  const RunResult result = quantize({"--json"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const Value document = parse_json(result.out, "stdout");
  const Value& check = *document.find("check");
  EXPECT_EQ(check.find("samples")->as_int(), 6);
  ASSERT_EQ(check.find("outputs")->as_list().size(), 1U);
  const Value& output = check.find("outputs")->as_list()[0];
  EXPECT_LT(output.find("rel_l2")->as_double(), 0.01);
  EXPECT_LT(output.find("worst_slice")->as_double(), 0.1);
  EXPECT_GT(check.find("latency")->find("ratio")->as_double(), 0);
  EXPECT_GE(check.find("latency")->find("pairs")->as_int(), 1);
  EXPECT_TRUE(document.find("left_float")->as_list().empty());
}

TEST_F(Delivery, ThePrintedTextHasTheSame) {
  const RunResult result = quantize({});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  EXPECT_NE(result.out.find("run on 6 calibration samples beside the float model\n"),
            std::string::npos)
      << result.out;
  EXPECT_NE(result.out.find("runs in turns on one thread"), std::string::npos) << result.out;
}

TEST_F(Delivery, NoCheckLeavesItOutAndWritesTheSameModel) {
  const RunResult result = quantize({"--no-check", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  EXPECT_TRUE(parse_json(result.out, "stdout").find("check")->is_null());
  const std::string unchecked = read_file(folder_.path() / "int8.onnx");
  ASSERT_EQ(quantize({"--overwrite"}).exit_code, 0);
  EXPECT_EQ(read_file(folder_.path() / "int8.onnx"), unchecked);
}

TEST_F(Delivery, AnOutputThatIsDestroyedIsAWarning) {
  // What the MatMul writes is clipped to a hundredth of its range.
  write_file_atomically(folder_.path() / "config.yaml",
                        "quantization_config: {extra_options: {TensorQuantOverrides: {x: [{rmin: "
                        "-0.01, rmax: 0.01}]}}}\n");
  const RunResult result = quantize({"--config", "config.yaml"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  EXPECT_NE(result.error.find("warning: output 'sum_out' has the relative noise "),
            std::string::npos)
      << result.error;
  EXPECT_NE(result.error.find(", above 0.1: little is left of it; try include_fast_ft, a wider "
                              "activation_type (QUInt16), or a "
                              "search, which compares them\n"),
            std::string::npos)
      << result.error;
}

void write_padded(const fs::path& folder) {
  write_model(folder / "model.onnx", testing::padded_between_convolutions());
  write_arrays(folder / "data.npz", {{"x", testing::padded_input()}});
  write_file_atomically(folder / "config.yaml",
                        "quantization_config: {extra_op_types_to_quantize: [Pad]}\n");
}

TEST_F(Delivery, AModelThatIsDeliveredRuns) {
  write_padded(folder_.path());
  const RunResult result = quantize({"--config", "config.yaml", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const RunResult evaluated = run_quantsearch(
      {"evaluate", "model.onnx", "int8.onnx", "--data", "data.npz", "--metric", "rel_l2"},
      folder_.path());
  EXPECT_EQ(evaluated.exit_code, 0) << evaluated.error;
  // The settings in the document build it at once.
  const Value document = parse_json(result.out, "stdout");
  for (const Value& left : document.find("left_float")->as_list())
    EXPECT_NE(result.error.find(left.find("reason")->as_string()), std::string::npos);
  write_file_atomically(
      folder_.path() / "again.yaml",
      to_json(Value::Map{{"quantization_config", *document.find("quantization_config")}}));
  const RunResult again =
      run_quantsearch({"quantize", "model.onnx", "--calibration", "data.npz", "--config",
                       "again.yaml", "--output", "again.onnx", "--json"},
                      folder_.path());
  ASSERT_EQ(again.exit_code, 0) << again.error;
  EXPECT_TRUE(parse_json(again.out, "stdout").find("left_float")->as_list().empty());
  EXPECT_EQ(read_file(folder_.path() / "again.onnx"), read_file(folder_.path() / "int8.onnx"));
}

TEST_F(Delivery, ASearchDeliversAModelThatRunsAndTheSettingsThatBuildIt) {
  write_padded(folder_.path());
  const RunResult result = run_quantsearch(
      {"search", "model.onnx", "--calibration", "data.npz", "--evaluation", "data.npz", "--config",
       "config.yaml", "--iteration-limit", "2", "--output", "out"},
      folder_.path());
  ASSERT_TRUE(result.exit_code == 0 || result.exit_code == 3) << result.error;
  const Value results = parse_json(read_file(folder_.path() / "out/results.json"), "results.json");
  for (const Value& trial : results.find("trials")->as_list())
    EXPECT_EQ(trial.find("state")->as_string(), "complete");
  const RunResult again =
      run_quantsearch({"quantize", "model.onnx", "--calibration", "data.npz", "--config",
                       "out/best_config.yaml", "--output", "again.onnx"},
                      folder_.path());
  ASSERT_EQ(again.exit_code, 0) << again.error;
  EXPECT_EQ(again.error.find("stay float"), std::string::npos) << again.error;
  EXPECT_EQ(read_file(folder_.path() / "again.onnx"), read_file(folder_.path() / "out/best.onnx"));
}

}  // namespace
}  // namespace quantsearch
