// A model with a switch for an input, through all commands.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "cli/made_inputs.h"
#include "cli/run_command.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;
using testing::run_quantsearch;
using testing::RunResult;

/// fast chooses between one MatMul and two.
Model switched_model() {
  ModelBuilder fast;
  fast.output(fast.node("MatMul", {"x", "w"}, {}, "short"), {-1, 4});
  ModelBuilder slow;
  slow.output(
      slow.node("MatMul", {slow.node("Relu", {slow.node("MatMul", {"x", "w"}, {}, "long")}), "w"}),
      {-1, 4});
  const auto body = [](const std::string& name, const ModelBuilder& builder) {
    return Attribute{.name = name,
                     .value = std::make_shared<const Graph>(builder.build_unchecked().graph)};
  };
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  builder.input("fast", {}, DataType::boolean);
  builder.random_weight("w", {4, 4}, 1, 3);
  builder.output(builder.node("If", {"fast"},
                              {body("then_branch", fast), body("else_branch", slow)}, "choose"),
                 {-1, 4});
  return builder.build();
}

class FixedInputsOf : public ::testing::Test {
 protected:
  FixedInputsOf() {
    testing::write_model(folder_.path() / "model.onnx", switched_model());
    testing::write_arrays(folder_.path() / "data.npz", {{"x", testing::random_tensor({16, 4}, 1)}});
  }
  RunResult run(const std::vector<std::string>& arguments) const {
    return run_quantsearch(arguments, folder_.path());
  }
  TemporaryFolder folder_;
};

TEST_F(FixedInputsOf, QuantizeMakesAModelWithoutTheInputThatEvaluateCompares) {
  const RunResult made = run({"quantize", "model.onnx", "--calibration", "data.npz", "--fix",
                              "fast=false", "--output", "out.onnx"});
  ASSERT_EQ(made.exit_code, 0) << made.error;
  const Model model = load_model(folder_.path() / "out.onnx");
  ASSERT_EQ(model.graph.inputs.size(), 1U);
  EXPECT_EQ(model.graph.inputs[0].name, "x");
  EXPECT_EQ(std::ranges::count(model.graph.nodes, "If", &Node::op_type), 0);
  EXPECT_EQ(std::ranges::count(model.graph.nodes, "MatMul", &Node::op_type), 2);
  const std::vector<std::string> evaluate = {"evaluate", "model.onnx", "out.onnx", "--data",
                                             "data.npz", "--metric",   "rel_l2",   "--json"};
  EXPECT_EQ(run(evaluate).error,
            "quantsearch: evaluate: the quantized model has no input 'fast', which the float model "
            "takes; if it was made with a fixed value, "
            "give --fix fast=VALUE\n");
  std::vector<std::string> with_fix = evaluate;
  with_fix.insert(with_fix.end(), {"--fix", "fast=false"});
  const RunResult scored = run(with_fix);
  ASSERT_EQ(scored.exit_code, 0) << scored.error;
  EXPECT_LT(parse_json(scored.out, "evaluate")
                .find("quantized")
                ->find("scores")
                ->find("rel_l2")
                ->as_double(),
            0.05);
}

TEST_F(FixedInputsOf, TheBestConfigurationOfASearchMakesItsModelAgain) {
  write_file_atomically(
      folder_.path() / "search.yaml",
      "fixed_inputs: {fast: true}\nsearch_space: {calibrate_method: [MinMax, Percentile]}\n");
  const RunResult searched = run({"search", "model.onnx", "--calibration", "data.npz", "--config",
                                  "search.yaml", "--output", "out"});
  ASSERT_TRUE(searched.exit_code == 0 || searched.exit_code == 3) << searched.error;
  const Value config = load_config_file(folder_.path() / "out" / "best_config.yaml");
  ASSERT_NE(config.find("fixed_inputs"), nullptr);
  EXPECT_EQ(*config.find("fixed_inputs"), Value(Value::Map{{"fast", true}}));
  ASSERT_EQ(run({"quantize", "model.onnx", "--calibration", "data.npz", "--config",
                 "out/best_config.yaml", "--output", "again.onnx"})
                .exit_code,
            0);
  EXPECT_EQ(read_file(folder_.path() / "again.onnx"),
            read_file(folder_.path() / "out" / "best.onnx"));
}

TEST_F(FixedInputsOf, InspectAndSpaceLookAtTheFixedModel) {
  const RunResult inspected = run({"inspect", "model.onnx", "--fix", "fast=true", "--json"});
  ASSERT_EQ(inspected.exit_code, 0) << inspected.error;
  const Value report = parse_json(inspected.out, "inspect");
  EXPECT_EQ(report.find("inputs")->as_list().size(), 1U);
  EXPECT_EQ(report.find("simplified_nodes")->as_int(), 1);
  EXPECT_EQ(run({"space", "model.onnx", "--fix", "fast=true"}).exit_code, 0);
}

TEST_F(FixedInputsOf, RefusesWhatCannotBeFixed) {
  const auto message = [this](const std::string& fix) {
    const RunResult result = run({"quantize", "model.onnx", "--calibration", "data.npz", "--fix",
                                  fix, "--output", "out.onnx"});
    EXPECT_EQ(result.exit_code, 2);
    return result.error;
  };
  EXPECT_EQ(message("fats=true"),
            "quantsearch: fixed_inputs: unknown input 'fats'; nearest known: 'fast'\n");
  EXPECT_EQ(
      message("fast=1"),
      "quantsearch: fixed_inputs: input 'fast' takes boolean [], got 1, expected true or false\n");
  EXPECT_NE(message("fast").find("--fix: got 'fast', expected NAME=VALUE such as sr=16000"),
            std::string::npos);
  EXPECT_NE(run({"space", "model.onnx", "--fix", "fats=true"}).error.find("unknown input 'fats'"),
            std::string::npos);
}

}  // namespace
}  // namespace quantsearch
