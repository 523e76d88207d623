#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "quantsearch/base/random.h"
#include "quantsearch/model.h"

namespace quantsearch {
namespace {

Node node(const std::string& name, std::vector<std::string> inputs) {
  Node made;
  made.op_type = "Op";
  made.name = name;
  made.inputs = std::move(inputs);
  made.outputs = {name};
  return made;
}

std::string order(const Graph& graph) {
  std::string names;
  for (const Node& current : graph.nodes) names += current.name;
  return names;
}

TEST(SortTopologically, ASortedGraphStaysAsItIs) {
  Graph graph;
  graph.nodes = {node("b", {}), node("a", {}), node("c", {"a", "b"}), node("d", {})};
  sort_topologically(graph);
  EXPECT_EQ(order(graph), "bacd");
}

TEST(SortTopologically, PutsProducersFirst) {
  Graph graph;
  graph.nodes = {node("c", {"b"}), node("b", {"a", "a"}), node("a", {})};
  sort_topologically(graph);
  EXPECT_EQ(order(graph), "abc");
}

TEST(SortTopologically, ALongCycleIsShortened) {
  Graph graph;
  graph.name = "g";
  for (int index = 0; index < 9; ++index) {
    graph.nodes.push_back(node(fmt::format("n{}", index), {fmt::format("n{}", (index + 8) % 9)}));
  }
  try {
    sort_topologically(graph);
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(
        error.what(),
        "graph 'g' has a cycle: Op 'n0' -> Op 'n1' -> Op 'n2' -> Op 'n3' -> Op 'n4' -> Op 'n5' -> "
        "... -> Op 'n0', expected none; export the model again");
  }
}

TEST(SortTopologically, NodesBesideACycleAreNotNamed) {
  Graph graph;
  graph.name = "g";
  graph.nodes = {node("after", {"a"}), node("a", {"b"}), node("b", {"a"})};
  try {
    sort_topologically(graph);
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(
        error.what(),
        "graph 'g' has a cycle: Op 'a' -> Op 'b' -> Op 'a', expected none; export the model again");
  }
}

TEST(SortTopologically, AnyShuffleOfALargeGraphIsPutInOrder) {
  RandomStream stream(7);
  Graph graph;
  for (int index = 0; index < 2000; ++index) {
    std::vector<std::string> inputs;
    for (int read = 0; index > 0 && read < 2; ++read) {
      inputs.push_back(fmt::format("n{}", stream.below(static_cast<std::uint64_t>(index))));
    }
    graph.nodes.push_back(node(fmt::format("n{}", index), inputs));
  }
  for (std::size_t index = graph.nodes.size() - 1; index > 0; --index) {
    std::swap(graph.nodes[index], graph.nodes[stream.below(index + 1)]);
  }
  sort_topologically(graph);
  const GraphIndex index(graph);
  for (int position = 0; position < 2000; ++position) {
    for (const std::string& input : graph.nodes[static_cast<std::size_t>(position)].inputs) {
      EXPECT_LT(index.producer(input), position);
    }
  }
}

TEST(SortTopologically, AnEmptyGraphIsSorted) {
  Graph graph;
  sort_topologically(graph);
  EXPECT_TRUE(graph.nodes.empty());
}

}  // namespace
}  // namespace quantsearch
