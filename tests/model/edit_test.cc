#include <gtest/gtest.h>

#include "model/text_model.h"
#include "quantsearch/model.h"

namespace quantsearch {
namespace {

// 'then' reads the outer a; 'else' has an input a of its own, which hides the outer one, and
// returns the outer b.
Model branching_model() {
  return testing::parse_proto(testing::text_model(R"(
    input { name: 'a' } input { name: 'b' } input { name: 'c' }
    initializer { name: 'w' data_type: 1 float_data: 1 } initializer { name: 'unused' data_type: 1 float_data: 1 }
    node { op_type: 'If' name: 'branch' input: 'c' output: 'y'
      attribute { name: 'then_branch' type: GRAPH g { name: 't'
        node { op_type: 'Mul' input: 'a' input: 'w' output: 't' } output { name: 't' } } }
      attribute { name: 'else_branch' type: GRAPH g { name: 'e' input { name: 'a' }
        node { op_type: 'Abs' name: 'abs' input: 'a' output: 'u' } output { name: 'b' } } } }
    output { name: 'y' } output { name: 'a' }
    value_info { name: 'stale' type { tensor_type { elem_type: 1 } } }
    value_info { name: 'w' type { tensor_type { elem_type: 1 } } })"));
}

const Graph& branch(const Graph& graph, int index) {
  return *std::get<std::shared_ptr<const Graph>>(
      graph.nodes[0].attributes[static_cast<std::size_t>(index)].value);
}

TEST(NameAllocator, NeverGivesANameTwice) {
  NameAllocator names(branching_model().graph);
  EXPECT_EQ(names.unique("new"), "new");
  EXPECT_EQ(names.unique("new"), "new_1");
  EXPECT_EQ(names.unique("new"), "new_2");
  EXPECT_EQ(names.unique("new_1"), "new_1_1");
  EXPECT_EQ(names.unique(""), "_1");
}

TEST(NameAllocator, AvoidsNamesOfNodesTensorsAndSubgraphs) {
  NameAllocator names(branching_model().graph);
  for (const char* used : {"a", "w", "y", "branch", "abs", "u", "stale"}) {
    EXPECT_EQ(names.unique(used), std::string(used) + "_1");
  }
}

TEST(ReplaceReads, ReachesSubgraphsButNotTheirOwnNames) {
  Model model = branching_model();
  const Graph before = model.graph;
  replace_reads(model.graph, "a", "z");
  EXPECT_EQ(branch(model.graph, 0).nodes[0].inputs[0], "z");
  EXPECT_EQ(branch(model.graph, 1).nodes[0].inputs[0], "a") << "its own input";
  EXPECT_EQ(model.graph.outputs[1].name, "a") << "graph outputs keep their names";
  EXPECT_EQ(branch(before, 0).nodes[0].inputs[0], "a") << "other copies of the model are untouched";
}

TEST(ReplaceReads, ASubgraphsOutputIsARead) {
  Model model = branching_model();
  replace_reads(model.graph, "b", "z");
  EXPECT_EQ(branch(model.graph, 1).outputs[0].name, "z");
}

TEST(RemoveUnusedValues, KeepsWhatSubgraphsRead) {
  Model model = branching_model();
  remove_unused_values(model.graph);
  ASSERT_EQ(model.graph.initializers.size(), 1U);
  EXPECT_EQ(model.graph.initializers[0].name, "w");
  ASSERT_EQ(model.graph.values.size(), 1U);
  EXPECT_EQ(model.graph.values[0].name, "w");
}

}  // namespace
}  // namespace quantsearch
