// Tests the reconstruction of a model that also has layers inside an If.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "quantsearch/calibrate.h"
#include "quantsearch/finetune.h"
#include "quantsearch/transform.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

/// A MatMul in the main graph, followed by an If with a MatMul in each branch.
Model layers_inside_and_outside() {
  const auto branch = [](const std::string& name, std::uint64_t seed) {
    ModelBuilder builder;
    builder.random_weight(name + "_w", {6, 4}, 1, seed);
    builder.output(builder.node("MatMul", {"hidden_out", name + "_w"}, {}, name), {-1, 4});
    return Attribute{.name = name,
                     .value = std::make_shared<const Graph>(builder.build_unchecked().graph)};
  };
  ModelBuilder builder;
  builder.input("x", {-1, 5});
  builder.input("choice", {1}, DataType::boolean);
  builder.random_weight("w", {5, 6}, 1, 1);
  builder.node("Relu", {builder.node("MatMul", {"x", "w"}, {}, "outside")}, {}, "hidden");
  builder.output(builder.node("If", {"choice"},
                              {branch("then_branch", 2), branch("else_branch", 3)}, "choose"),
                 {-1, 4});
  return builder.build();
}

FinetunedModel tuned_with_gptq(const Model& reference, const DataSource& data) {
  ThreadPool pool(1);
  const Statistics seen =
      observe(reference, data, pool, {.tensors = tensors_to_observe(reference)});
  const QuantizedModel candidate = quantize(reference, choose_ranges(seen, {}, pool), {}, pool);
  return finetune(
      candidate, reference, data, {.algorithm = FinetuneAlgorithm::gptq},
      {.pool = pool, .budget = ByteBudget(1 << 26), .cache_folder = {}, .token = {}, .log = {}});
}

TEST(FinetuneBodies, TunesTheMainGraphAndGivesReasonsForBodies) {
  const Model reference = simplify(layers_inside_and_outside()).model;
  Tensor choices(DataType::boolean, {12});
  for (std::size_t at = 0; at < 12; ++at) choices.mutable_values<bool>()[at] = at % 2 == 0;
  const auto data =
      in_memory_data({{"x", testing::random_tensor({12, 5}, 4)}, {"choice", choices}});
  const FinetunedModel tuned = tuned_with_gptq(reference, *data);
  const auto record = [&](const std::string& node) {
    return *std::ranges::find(tuned.layers, node, &LayerReconstruction::node);
  };
  EXPECT_LE(record("outside").error_after, record("outside").error_before);
  for (const char* const inside : {"then_branch", "else_branch"}) {
    EXPECT_FALSE(record(inside).tuned);
    EXPECT_EQ(record(inside).reason,
              "it is inside a body, and only layers of the main graph are reconstructed");
  }
  check_model(tuned.quantized.model);
}

/// The body states no shapes. The runtime derives them from what enters the Scan and does not run
/// it otherwise.
TEST(FinetuneBodies, RunsAScanWhoseBodyStatesNoShapes) {
  ModelBuilder body;
  body.input("total", {});
  body.input("row", {});
  const std::string sum = body.node("Add", {"total", "row"}, {}, "next");
  body.output(sum);
  body.output(body.node("Neg", {sum}, {}, "given"));
  Graph stated = body.build_unchecked().graph;
  for (ValueInfo& input : stated.inputs) input.dimensions.reset();
  ModelBuilder builder;
  builder.input("x", {-1, 5});
  builder.random_weight("w", {5, 6}, 1, 1);
  builder.weight("start", {6}, {0, 0, 0, 0, 0, 0});
  Node scan;
  scan.op_type = "Scan";
  scan.inputs = {"start",
                 builder.node("Relu", {builder.node("MatMul", {"x", "w"}, {}, "first")}, {})};
  scan.outputs = {"last", "all"};
  scan.attributes = {{.name = "body", .value = std::make_shared<const Graph>(std::move(stated))},
                     {.name = "num_scan_inputs", .value = std::int64_t{1}}};
  builder.add(scan);
  builder.random_weight("v", {6, 4}, 1, 2);
  builder.output(builder.node("MatMul", {"all", "v"}, {}, "second"), {-1, 4});
  const auto data = in_memory_data({{"x", testing::random_tensor({12, 5}, 4)}});
  const FinetunedModel tuned = tuned_with_gptq(simplify(builder.build()).model, *data);
  ASSERT_EQ(tuned.layers.size(), 2U);
  EXPECT_TRUE(tuned.layers.front().tuned) << tuned.layers.front().reason;
  EXPECT_LE(tuned.layers.back().error_after, tuned.layers.back().error_before);
}

}  // namespace
}  // namespace quantsearch
