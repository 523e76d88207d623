#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "quantsearch/base/error.h"
#include "quantsearch/placement.h"
#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

Model small_network() {
  ModelBuilder builder;
  std::string value = builder.input("x", {1, 8, 12, 12});
  for (int block = 0; block < 3; ++block) {
    const std::string weight = "w" + std::to_string(block);
    builder.random_weight(weight, {8, 8, 3, 3}, 0.1F, static_cast<std::uint64_t>(block));
    const Attribute pads{.name = "pads", .value = std::vector<std::int64_t>{1, 1, 1, 1}};
    value = builder.node("HardSwish", {builder.node("Conv", {value, weight}, {pads})});
  }
  builder.output(value, {1, 8, 12, 12});
  return builder.build();
}

struct Fixture {
  Model model = small_network();
  Ranges ranges;
  std::vector<std::vector<std::string>> built;

  Fixture() {
    for (const std::string& tensor : tensors_to_observe(model))
      ranges[tensor] = {.low = -2, .high = 2};
  }

  PlacementInput input() {
    return {.float_model = model,
            .simplified = model,
            .sample = testing::random_inputs(model, 1),
            .build = [this](const std::vector<std::string>& nodes) {
              built.push_back(nodes);
              ThreadPool pool(1);
              return std::make_shared<const QuantizedModel>(
                  quantize(model, ranges, {.exclude_nodes = nodes}, pool));
            }};
  }
};

/// What it finds depends on the machine; these hold on all.
TEST(FindPlacement, GivesMeasuredPlacementsTheFastestFirst) {
  Fixture fixture;
  const PlacementResult found = find_placement(fixture.input(), {.seconds = 5});
  ASSERT_FALSE(found.placements.empty());
  EXPECT_TRUE(std::ranges::any_of(
      found.placements, [](const Placement& placement) { return placement.float_nodes.empty(); }));
  std::set<std::string> labels;
  for (std::size_t node = 0; node < fixture.model.graph.nodes.size(); ++node)
    labels.insert(node_label(fixture.model.graph, static_cast<int>(node)));
  for (const Placement& placement : found.placements) {
    EXPECT_GT(placement.latency.pairs, 0);
    EXPECT_NE(std::ranges::find(fixture.built, placement.float_nodes), fixture.built.end());
    for (const std::string& node : placement.float_nodes)
      EXPECT_TRUE(labels.contains(node)) << node;
  }
  ASSERT_FALSE(found.patterns.empty());
  std::int64_t units = 0;
  for (const PatternCost& row : found.patterns) units += row.units;
  EXPECT_LE(units, std::ssize(fixture.model.graph.nodes));
  EXPECT_FALSE(found.costs.patterns.empty());
}

/// The name of a HardSwish whose Conv is float says nothing of its kernel, for example.
TEST(FindPlacement, ReturnsNoTwoModelsWithTheSameKernels) {
  Fixture fixture;
  const PlacementInput input = fixture.input();
  const PlacementResult found = find_placement(input, {.seconds = 5});
  std::set<Key> kernels;
  for (const Placement& placement : found.placements)
    kernels.insert(kernel_key(input.build(placement.float_nodes)->model));
  EXPECT_EQ(kernels.size(), found.placements.size());
}

TEST(FindPlacement, NeedsFewerModelsWhereCostsAreKnown) {
  Fixture first;
  const PlacementResult found = find_placement(first.input(), {.seconds = 5});
  Fixture second;
  const PlacementResult again =
      find_placement(second.input(), {.seconds = 0, .known = found.costs});
  EXPECT_EQ(again.measured, 1);  // no time: only the one with everything on integers
  EXPECT_EQ(again.placements.size(), 1);
  EXPECT_EQ(again.costs.patterns.size(), found.costs.patterns.size());
}

TEST(FindPlacement, EndsWhenItIsCancelled) {
  Fixture fixture;
  const CancellationToken token;
  token.cancel();
  EXPECT_THROW((void)find_placement(fixture.input(), {.token = token}), Cancelled);
}

TEST(KernelCosts, HaveEveryNodeOnceWithItsTimes) {
  Fixture fixture;
  const PlacementInput input = fixture.input();
  const std::vector<KernelCost> costs =
      kernel_costs(fixture.model, *input.build({}), input.sample, {.seconds = 0});
  std::multiset<int> nodes;
  for (const KernelCost& cost : costs) {
    nodes.insert(cost.nodes.begin(), cost.nodes.end());
    EXPECT_GT(cost.float_seconds, 0);
    EXPECT_GT(cost.quantized_seconds, 0);
  }
  std::multiset<int> all;
  for (std::size_t node = 0; node < fixture.model.graph.nodes.size(); ++node)
    all.insert(static_cast<int>(node));
  EXPECT_EQ(nodes, all);
}

}  // namespace
}  // namespace quantsearch
