#include <gtest/gtest.h>

#include <algorithm>

#include "quantsearch/placement.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

Model two_layers() {
  ModelBuilder builder;
  std::string value = builder.input("x", {1, 8, 16, 16});
  for (int layer = 0; layer < 2; ++layer) {
    const std::string weight = "w" + std::to_string(layer);
    builder.random_weight(weight, {8, 8, 3, 3}, 0.1F, static_cast<std::uint64_t>(layer));
    value = builder.node("Relu", {builder.node("Conv", {value, weight})});
  }
  builder.output(value, {1, 8, 12, 12});
  return builder.build();
}

QuantizedModel quantized_form(const Model& model, const std::vector<std::string>& left_float) {
  Ranges ranges;
  for (const std::string& tensor : tensors_to_observe(model))
    ranges[tensor] = {.low = -2, .high = 2};
  ThreadPool pool(1);
  return quantize(model, ranges, {.exclude_nodes = left_float}, pool);
}

TEST(KernelCosts, GiveEveryNodeToOneKernelWithItsTimes) {
  const Model model = two_layers();
  const auto costs =
      kernel_costs(model, quantized_form(model, {}), testing::random_inputs(model, 1));
  std::vector<int> nodes;
  for (const KernelCost& cost : costs) {
    nodes.insert(nodes.end(), cost.nodes.begin(), cost.nodes.end());
    EXPECT_GT(cost.float_seconds, 0);
    EXPECT_GT(cost.quantized_seconds, 0);
  }
  std::ranges::sort(nodes);
  EXPECT_EQ(nodes, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(costs.size(), 2U) << "a Conv and its Relu are one kernel";
}

TEST(KernelCosts, ConversionsCountForTheKernelThatWritesTheTensor) {
  const Model model = two_layers();
  const std::string second = node_label(model.graph, 2);
  const auto costs =
      kernel_costs(model, quantized_form(model, {second}), testing::random_inputs(model, 1));
  ASSERT_EQ(costs.size(), 2U);
  EXPECT_GT(costs[0].conversion_seconds, 0);
}

}  // namespace
}  // namespace quantsearch
