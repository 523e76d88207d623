#include <gtest/gtest.h>

#include "model/text_model.h"
#include "quantsearch/internal/model/checks.h"

namespace quantsearch {
namespace {

using testing::parse_proto;
using testing::text_model;
using Names = std::vector<std::string>;

Names random_nodes_of(const std::string& graph) {
  return random_nodes(parse_proto(text_model(graph)).graph);
}

TEST(RandomNodes, GeneratorsAreNamedInBodiesToo) {
  EXPECT_EQ(
      random_nodes_of(
          "input { name: 'x' } input { name: 'c' } output { name: 'y' }"
          "node { op_type: 'RandomNormalLike' name: 'noise' input: 'x' output: 'n' }"
          "node { op_type: 'If' input: 'c' output: 'y' attribute { name: 'then_branch' type: GRAPH "
          "g { name: 't' node { op_type: 'Bernoulli' input: 'x' output: 't' } output { name: 't' } "
          "} } attribute { name: 'else_branch' type: GRAPH g { name: 'e' node { op_type: 'Abs' "
          "input: 'n' output: 'u' } output { name: 'u' } } } }"),
      (Names{"RandomNormalLike 'noise'", "Bernoulli #0"}));
}

TEST(RandomNodes, DropoutIsListedUnlessItIsKnownNotToTrain) {
  const std::string drop =
      "input { name: 'x' } output { name: 'y' } "
      "initializer { name: 'ratio' data_type: 1 float_data: 0.5 }"
      "initializer { name: 'on' data_type: 9 int32_data: 1 }"
      "initializer { name: 'off' data_type: 9 int32_data: 0 }"
      "node { op_type: 'Dropout' name: 'd' output: 'y' input: 'x' ";
  EXPECT_EQ(random_nodes_of(drop + "}"), Names{});
  EXPECT_EQ(random_nodes_of(drop + "input: 'ratio' input: 'off' }"), Names{});
  EXPECT_EQ(random_nodes_of(drop + "input: 'ratio' input: 'on' }"), Names{"Dropout 'd'"});
  EXPECT_EQ(random_nodes_of("input { name: 'mode' } " + drop + "input: 'ratio' input: 'mode' }"),
            Names{"Dropout 'd'"});
}

TEST(RandomNodes, OperatorsOfOtherDomainsAreNotListed) {
  EXPECT_EQ(random_nodes_of("input { name: 'x' } output { name: 'y' } node { op_type: 'Bernoulli' "
                            "domain: 'my.domain' input: 'x' output: 'y' }"),
            Names{});
}

}  // namespace
}  // namespace quantsearch
