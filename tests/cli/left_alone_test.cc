// Models that need a word before they are quantized: quantized already, in half precision, with
// random numbers, with odd spellings of what is open or zero.

#include <gtest/gtest.h>

#include <filesystem>

#include "cli/made_inputs.h"
#include "cli/run_command.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;
using testing::ModelBuilder;
using testing::run_quantsearch;
using testing::RunResult;
using testing::write_arrays;
using testing::write_model;

class LeftAlone : public ::testing::Test {
 protected:
  void SetUp() override {
    write_arrays(folder_.path() / "data.npz",
                 {{"x", Tensor::of<float>({6, 4}, testing::sample_values())}});
  }

  [[nodiscard]] RunResult quantize(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"quantize", "model.onnx", "--calibration",
                                          "data.npz", "--output",   "out.onnx"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_quantsearch(arguments, folder_.path());
  }
  [[nodiscard]] RunResult inspect(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"inspect", "model.onnx"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_quantsearch(arguments, folder_.path(), {.columns = "1000"});
  }
  void save(const Model& model) const { write_model(folder_.path() / "model.onnx", model); }

  TemporaryFolder folder_;
};

/// x -> pair -> MatMul w -> MatMul v: only x is quantized.
Model quantized_input() {
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  const std::string scale = builder.constant("scale", Tensor::scalar(0.01F));
  const std::string zero = builder.constant("zero", Tensor::scalar(std::uint8_t{128}));
  const std::string pair = builder.node(
      "DequantizeLinear", {builder.node("QuantizeLinear", {"x", scale, zero}), scale, zero});
  const std::string hidden =
      builder.node("MatMul", {pair, builder.random_weight("w", {4, 8}, 1, 1)}, {}, "first");
  builder.output(
      builder.node("MatMul", {hidden, builder.random_weight("v", {8, 3}, 1, 2)}, {}, "second"),
      {-1, 3});
  return builder.build();
}

TEST_F(LeftAlone, AQuantizedModelIsRefusedByBothCommands) {
  save(quantized_input());
  const std::string reason =
      "quantsearch: quantize: the model is quantized already: its activations go through 1 "
      "QuantizeLinear; give the float model it was made from, or quantize what is left float with "
      "--requantize (key 'requantize')\n";
  const RunResult one = quantize();
  EXPECT_EQ(one.exit_code, 2);
  EXPECT_EQ(one.error, reason);
  EXPECT_FALSE(fs::exists(folder_.path() / "out.onnx"));
  const RunResult search = run_quantsearch(
      {"search", "model.onnx", "--calibration", "data.npz", "--quiet"}, folder_.path());
  EXPECT_EQ(search.exit_code, 2);
  EXPECT_EQ(search.error, reason);
  EXPECT_FALSE(fs::exists(folder_.path() / "quantsearch_output"));
}

TEST_F(LeftAlone, RequantizeTakesItByFlagAndByKey) {
  save(quantized_input());
  EXPECT_EQ(quantize({"--requantize"}).exit_code, 0);
  write_file_atomically(folder_.path() / "config.yaml",
                        "quantization_config: {requantize: true}\n");
  fs::remove(folder_.path() / "out.onnx");
  EXPECT_EQ(quantize({"--config", "config.yaml"}).exit_code, 0);
  const RunResult search =
      run_quantsearch({"search", "model.onnx", "--calibration", "data.npz", "--requantize",
                       "--iteration-limit", "1", "--tolerance", "1000"},
                      folder_.path());
  EXPECT_EQ(search.exit_code, 0) << search.error;
  const std::string best = read_file(folder_.path() / "quantsearch_output" / "best_config.yaml");
  EXPECT_NE(best.find("requantize: true"), std::string::npos) << best;
}

TEST_F(LeftAlone, InspectSaysWhatIsQuantizedAlready) {
  save(quantized_input());
  EXPECT_NE(inspect().out.find("This model is quantized already: its activations go through 1 "
                               "QuantizeLinear.\n"),
            std::string::npos);
  const Value value = parse_json(inspect({"--json"}).out, "inspect");
  EXPECT_EQ(value.find("quantized_activations")->find("QuantizeLinear")->as_int(), 1);
}

TEST_F(LeftAlone, StoredWeightsGoThrough) {
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  const std::string stored =
      builder.node("DequantizeLinear", {builder.constant("w", Tensor(DataType::int8, {4, 8})),
                                        builder.constant("scale", Tensor::scalar(0.01F))});
  const std::string hidden = builder.node("MatMul", {"x", stored}, {}, "first");
  builder.output(builder.node("MatMul", {hidden, builder.random_weight("v", {8, 3}, 1, 2)}),
                 {-1, 3});
  save(builder.build());
  EXPECT_EQ(quantize().exit_code, 0);
  EXPECT_NE(inspect().out.find("Its weights are stored as integers (1 DequantizeLinear), its "
                               "activations are float: it is quantized like a float model.\n"),
            std::string::npos);
}

Model half_precision() {
  ModelBuilder builder;
  builder.input("x", {-1, 4}, DataType::float16);
  const Tensor weight = testing::random_tensor({4, 3}, 1);
  builder.output(
      builder.node("MatMul", {"x", builder.constant("w", convert(weight, DataType::float16))}),
      {-1, 3}, DataType::float16);
  return builder.build();
}

TEST_F(LeftAlone, HalfPrecisionNamesItsWayOut) {
  save(half_precision());
  const RunResult result = quantize();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.error.find("set extra_options.ConvertFP16ToFP32 to true"), std::string::npos)
      << result.error;
}

// From float16 data to the score against the float16 model.
TEST_F(LeftAlone, HalfPrecisionGoesThroughWithItsOwnData) {
  save(half_precision());
  const Tensor samples = Tensor::of<float>({6, 4}, testing::sample_values());
  write_arrays(folder_.path() / "data.npz", {{"x", convert(samples, DataType::float16)}});
  write_file_atomically(folder_.path() / "config.yaml",
                        "quantization_config: {extra_options: {ConvertFP16ToFP32: true}}\n");
  const RunResult made = quantize({"--config", "config.yaml"});
  ASSERT_EQ(made.exit_code, 0) << made.error;
  const RunResult result = run_quantsearch(
      {"evaluate", "model.onnx", "out.onnx", "--data", "data.npz", "--latency", "--json"},
      folder_.path());
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const Value evaluated = parse_json(result.out, "evaluate");
  EXPECT_LT(evaluated.find("quantized")->find("scores")->find("rel_l2")->as_double(), 0.01);
  const RunResult search =
      run_quantsearch({"search", "model.onnx", "--calibration", "data.npz", "--config",
                       "config.yaml", "--iteration-limit", "1", "--tolerance", "1000"},
                      folder_.path());
  EXPECT_EQ(search.exit_code, 0) << search.error;
}

TEST_F(LeftAlone, EvaluateSaysThatTheFloatModelIsNotDeterministic) {
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  const std::string noise = builder.node("RandomUniformLike", {"x"}, {}, "noise");
  builder.output(builder.node("MatMul", {builder.node("Add", {"x", noise}),
                                         builder.random_weight("w", {4, 3}, 1, 1)}),
                 {-1, 3});
  save(builder.build());
  ASSERT_EQ(quantize().exit_code, 0);
  const RunResult result = run_quantsearch(
      {"evaluate", "model.onnx", "out.onnx", "--data", "data.npz", "--json"}, folder_.path());
  ASSERT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(
      result.error.find("warning: the float model itself is not deterministic: random numbers "
                        "come from RandomUniformLike 'noise', and a second run of it has rel_l2 "),
      0U)
      << result.error;
  const Value evaluated = parse_json(result.out, "evaluate");
  EXPECT_GT(evaluated.find("float_rel_l2_against_itself")->as_double(), 0);
}

TEST_F(LeftAlone, ADimensionOfMinusOneIsOpen) {
  Model model = testing::small_model();
  model.graph.inputs[0].dimensions->front() = {.size = -1, .symbol = ""};
  model.graph.outputs[0].dimensions->front() = {.size = -1, .symbol = ""};
  save(model);
  EXPECT_EQ(quantize().exit_code, 0);
  EXPECT_NE(inspect().out.find("input  x: float32 [?, 4]"), std::string::npos);
}

TEST_F(LeftAlone, TrainingIsAWarning) {
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  const std::string hidden =
      builder.node("MatMul", {"x", builder.random_weight("w", {4, 2}, 1, 1)});
  const auto channel = [&](const char* name) { return builder.weight(name, {2}, {1, 1}); };
  builder.add({.op_type = "BatchNormalization",
               .domain = "",
               .name = "norm",
               .inputs = {hidden, channel("s"), channel("b"), channel("m"), channel("v")},
               .outputs = {"y", "mean", "variance"},
               .attributes = {{.name = "training_mode", .value = std::int64_t{1}}},
               .extra = ""});
  builder.output("y", {-1, 2});
  save(builder.build_unchecked());
  EXPECT_NE(inspect().out.find("warning: BatchNormalization 'norm' is in training mode"),
            std::string::npos);
}

}  // namespace
}  // namespace quantsearch
