#include "calibrate/body_taps.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "quantsearch/calibrate.h"
#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

Attribute body_attribute(const std::string& name, const ModelBuilder& builder) {
  return {.name = name, .value = std::make_shared<const Graph>(builder.build_unchecked().graph)};
}

Tensor floats(Shape shape, const std::vector<float>& values) {
  return Tensor::of<float>(std::move(shape), values);
}

Tensor flag(bool value) {
  return convert(Tensor::scalar(std::int64_t{value ? 1 : 0}), DataType::boolean);
}

Statistics observed(const Model& model, std::map<std::string, Tensor> data,
                    std::vector<std::string> tensors) {
  ThreadPool pool(2);
  return observe(model, *in_memory_data(std::move(data)), pool, {.tensors = std::move(tensors)});
}

/// With `choice` y = -(x + 1), else y = 2 x.
Model branches() {
  ModelBuilder then_branch;
  then_branch.weight("one", {1}, {1});
  then_branch.output(
      then_branch.node("Neg", {then_branch.node("Add", {"x", "one"}, {}, "sum")}, {}, "neg"),
      {-1, 2});
  ModelBuilder else_branch;
  else_branch.output(else_branch.node("Add", {"x", "x"}, {}, "double"), {-1, 2});
  ModelBuilder builder;
  builder.input("x", {-1, 2});
  builder.input("choice", {1}, DataType::boolean);
  builder.output(builder.node("If", {"choice"},
                              {body_attribute("then_branch", then_branch),
                               body_attribute("else_branch", else_branch)}),
                 {-1, 2});
  return builder.build();
}

Tensor choices(const std::vector<bool>& values) {
  Tensor tensor(DataType::boolean, {std::ssize(values)});
  for (std::size_t at = 0; at < values.size(); ++at) tensor.mutable_values<bool>()[at] = values[at];
  return tensor;
}

TEST(BodyTaps, HoldTheSamplesThatTakeTheBranch) {
  const Statistics seen = observed(
      branches(),
      {{"x", floats({3, 2}, {1, 2, 3, 4, 5, 6})}, {"choice", choices({true, false, true})}},
      {"sum_out", "double_out", "x"});
  EXPECT_EQ(seen.tensors.at("sum_out").min, 2);
  EXPECT_EQ(seen.tensors.at("sum_out").max, 7);
  EXPECT_EQ(seen.tensors.at("sum_out").count, 4U);
  EXPECT_EQ(seen.tensors.at("double_out").min, 6);
  EXPECT_EQ(seen.tensors.at("double_out").max, 8);
  EXPECT_EQ(seen.tensors.at("x").count, 6U);
}

TEST(BodyTaps, AreEmptyInABranchThatNoSampleTakes) {
  const Statistics seen = observed(
      branches(), {{"x", floats({1, 2}, {1, 2})}, {"choice", choices({true})}}, {"double_out"});
  EXPECT_EQ(seen.tensors.at("double_out").count, 0U);
}

TEST(BodyTaps, LeaveAModelWithNothingToTapUnchanged) {
  const Model model = branches();
  EXPECT_EQ(tap_bodies(model, {"x"}).model, model);
  EXPECT_TRUE(tap_bodies(model, {"x"}).taps.empty());
}

/// Runs three iterations of state = [state, state]. A tensor inside an If of the body grows with
/// them.
Model growing_loop() {
  const Attribute axis{.name = "axis", .value = std::int64_t{1}};
  ModelBuilder grow;
  grow.output(grow.node("Concat", {"state", "state"}, {axis}, "doubled"), {1, -1});
  ModelBuilder stay;
  stay.output(stay.node("Identity", {"state"}, {}, "same"), {1, -1});
  ModelBuilder body;
  body.input("round", {}, DataType::int64);
  body.input("go_on", {}, DataType::boolean);
  body.input("state", {1, -1});
  const std::string next = body.node(
      "If", {"go_on"}, {body_attribute("then_branch", grow), body_attribute("else_branch", stay)});
  body.node("Identity", {"go_on"}, {}, "still");
  body.output("still_out", {}, DataType::boolean);
  body.output(next, {1, -1});
  ModelBuilder builder;
  builder.input("x", {1, 2});
  builder.constant("rounds", Tensor::scalar(std::int64_t{3}));
  builder.constant("yes", flag(true));
  builder.output(builder.node("Loop", {"rounds", "yes", "x"}, {body_attribute("body", body)}),
                 {1, -1});
  return builder.build();
}

TEST(BodyTaps, HoldAllIterationsOfALoopWhateverTheirSizes) {
  const Statistics seen = observed(growing_loop(), {{"x", floats({1, 2}, {-1, 3})}},
                                   {"state", "doubled_out", "same_out"});
  // 2 + 4 + 8 values before a round, 4 + 8 + 16 after it; the other branch is never taken.
  EXPECT_EQ(seen.tensors.at("state").count, 14U);
  EXPECT_EQ(seen.tensors.at("state").min, -1);
  EXPECT_EQ(seen.tensors.at("state").max, 3);
  EXPECT_EQ(seen.tensors.at("doubled_out").count, 28U);
  EXPECT_EQ(seen.tensors.at("same_out").count, 0U);
}

TEST(BodyTaps, HoldEachIterationOfAScan) {
  ModelBuilder body;
  body.input("total", {2});
  body.input("row", {2});
  const std::string sum = body.node("Add", {"total", "row"}, {}, "next");
  body.node("Neg", {sum}, {}, "given");
  body.output(sum, {2});
  body.output("given_out", {2});
  ModelBuilder builder;
  builder.input("x", {-1, 2});
  builder.weight("start", {2}, {0, 0});
  Node scan;
  scan.op_type = "Scan";
  scan.name = "scan";
  scan.inputs = {"start", "x"};
  scan.outputs = {"last", "all"};
  scan.attributes = {body_attribute("body", body),
                     {.name = "num_scan_inputs", .value = std::int64_t{1}}};
  builder.add(scan);
  builder.output("last", {2});
  builder.output("all", {-1, 2});
  const auto three_rows = callback_data(1, [](std::int64_t) {
    return Batch{{"x", floats({3, 2}, {1, 10, 1, 10, 1, 10})}};
  });
  ThreadPool pool(1);
  const Statistics seen = observe(builder.build(), *three_rows, pool, {.tensors = {"next_out"}});
  EXPECT_EQ(seen.tensors.at("next_out").count, 6U);
  EXPECT_EQ(seen.tensors.at("next_out").min, 1);
  EXPECT_EQ(seen.tensors.at("next_out").max, 30);
}

}  // namespace
}  // namespace quantsearch
