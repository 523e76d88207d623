#include <gtest/gtest.h>

#include "model/text_model.h"
#include "quantsearch/model.h"

namespace quantsearch {
namespace {

// x -> Relu -> a -> (Add reads a twice) -> b, and an If whose branches read a and define their own
// t.
Model relu_add_if_model() {
  return testing::parse_proto(testing::text_model(R"(
    input { name: 'x' type { tensor_type { elem_type: 1 shape { dim { dim_value: 2 } } } } } input { name: 'c' }
    initializer { name: 'w' data_type: 1 dims: 2 float_data: 1 float_data: 2 }
    node { op_type: 'Relu' name: 'r' input: 'x' output: 'a' }
    node { op_type: 'Add' input: 'a' input: 'a' output: 'b' }
    node { op_type: 'If' input: 'c' output: 'y'
      attribute { name: 'then_branch' type: GRAPH g { name: 't'
        initializer { name: 'k' data_type: 1 dims: 2 float_data: 1 float_data: 2 }
        node { op_type: 'Mul' input: 'a' input: 'k' output: 't' }
        node { op_type: 'Mul' input: 't' input: 'w' output: 'u' } output { name: 'u' } } }
      attribute { name: 'else_branch' type: GRAPH g { name: 'e'
        node { op_type: 'Abs' input: 'b' output: 't' } output { name: 't' } } } }
    output { name: 'y' } output { name: 'b' }
    value_info { name: 'a' type { tensor_type { elem_type: 1 } } })"));
}

std::vector<int> list(std::span<const int> nodes) { return {nodes.begin(), nodes.end()}; }

TEST(GraphIndex, FindsTheProducerAndTheConsumers) {
  const Model model = relu_add_if_model();
  const GraphIndex index(model.graph);
  EXPECT_EQ(index.producer("a"), 0);
  EXPECT_EQ(index.producer("x"), std::nullopt);
  EXPECT_EQ(index.producer("w"), std::nullopt);
  EXPECT_EQ(index.producer("never heard of"), std::nullopt);
  EXPECT_EQ(list(index.consumers("x")), std::vector<int>{0});
  EXPECT_TRUE(index.consumers("y").empty());
}

TEST(GraphIndex, ANodeThatReadsATensorTwiceIsOneConsumer) {
  const Model model = relu_add_if_model();
  EXPECT_EQ(list(GraphIndex(model.graph).consumers("a")), (std::vector<int>{1, 2}));
}

TEST(GraphIndex, ReadsInSubgraphsCountForTheirNode) {
  const Model model = relu_add_if_model();
  const GraphIndex index(model.graph);
  EXPECT_EQ(list(index.consumers("b")), std::vector<int>{2});
  EXPECT_EQ(list(index.consumers("w")), std::vector<int>{2});
  EXPECT_TRUE(index.consumers("t").empty()) << "the branches' own tensor";
  EXPECT_TRUE(index.consumers("k").empty());
}

TEST(GraphIndex, FindsInputsOutputsAndInitializers) {
  const Model model = relu_add_if_model();
  const GraphIndex index(model.graph);
  EXPECT_TRUE(index.is_graph_input("x"));
  EXPECT_FALSE(index.is_graph_input("w"));
  EXPECT_TRUE(index.is_graph_output("b"));
  EXPECT_FALSE(index.is_graph_output("a"));
  EXPECT_EQ(index.initializer("w")->size(), 2);
  EXPECT_EQ(index.initializer("x"), nullptr);
  EXPECT_EQ(index.shared_initializer("w"), model.graph.initializers[0].tensor);
  EXPECT_EQ(to_string(*index.value("x")), "float32 [2]");
  EXPECT_EQ(to_string(*index.value("a")), "float32 of unknown rank");
  EXPECT_EQ(index.value("w"), nullptr);
}

TEST(DescribeNode, UsesTheIndexWhenThereIsNoName) {
  const Model model = relu_add_if_model();
  EXPECT_EQ(describe_node(model.graph, 0), "Relu 'r'");
  EXPECT_EQ(describe_node(model.graph, 1), "Add #1");
  EXPECT_EQ(node_label(model.graph, 0), "r");
  EXPECT_EQ(node_label(model.graph, 1), "Add#1");
}

TEST(WeightBytes, CountsSubgraphs) { EXPECT_EQ(weight_bytes(relu_add_if_model().graph), 16); }

}  // namespace
}  // namespace quantsearch
