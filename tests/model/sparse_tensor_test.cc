#include <gtest/gtest.h>

#include "model/text_model.h"
#include "quantsearch/model.h"

namespace quantsearch {
namespace {

using testing::parse_error;
using testing::parse_proto;
using testing::text_model;

const Tensor& sparse_weight(const Model& model) { return *model.graph.initializers.at(0).tensor; }

std::string sparse(const std::string& dims, const std::string& values, const std::string& indices) {
  return "sparse_initializer { " + dims + " values { name: 's' " + values + " } indices { " +
         indices + " } }";
}

TEST(SparseTensors, FlatPositionsBecomeADenseInitializer) {
  const Model model = parse_proto(
      text_model(sparse("dims: 2 dims: 3", "data_type: 1 dims: 2 float_data: 4 float_data: -7",
                        "data_type: 7 dims: 2 int64_data: 1 int64_data: 5")));
  EXPECT_EQ(model.graph.initializers.at(0).name, "s");
  EXPECT_EQ(sparse_weight(model), Tensor::of<float>({2, 3}, {0, 4, 0, 0, 0, -7}));
  EXPECT_EQ(model.graph.extra.find("s"), std::string::npos) << "nothing sparse is written back";
}

TEST(SparseTensors, CoordinatesBecomeADenseInitializer) {
  const Model model = parse_proto(
      text_model(sparse("dims: 2 dims: 3", "data_type: 3 dims: 2 int32_data: 4 int32_data: -7",
                        "data_type: 7 dims: 2 dims: 2 int64_data: 0 int64_data: 2 int64_data: 1 "
                        "int64_data: 1")));
  EXPECT_EQ(sparse_weight(model), Tensor::of<std::int8_t>({2, 3}, {0, 0, 4, 0, -7, 0}));
}

TEST(SparseTensors, WithoutValuesAllIsZero) {
  const Model model =
      parse_proto(text_model(sparse("dims: 2", "data_type: 1 dims: 0", "data_type: 7 dims: 0")));
  EXPECT_EQ(sparse_weight(model), Tensor::of<float>({2}, {0, 0}));
}

TEST(SparseTensors, AConstantsSparseValueBecomesItsValue) {
  const Model model = parse_proto(text_model(
      "node { op_type: 'Constant' output: 'y' attribute { name: 'sparse_value' type: SPARSE_TENSOR "
      "sparse_tensor { dims: 3 values { data_type: 1 dims: 1 float_data: 2 } indices { data_type: "
      "7 dims: 1 int64_data: 1 } } } } output { name: 'y' type { tensor_type { elem_type: 1 } } "
      "}"));
  const Node& constant = model.graph.nodes.at(0);
  ASSERT_EQ(constant.attributes.size(), 1U);
  EXPECT_EQ(constant.attributes[0].name, "value");
  EXPECT_EQ(std::get<Tensor>(constant.attributes[0].value), Tensor::of<float>({3}, {0, 2, 0}));
  EXPECT_NO_THROW(check_model(model));
}

TEST(SparseTensors, APositionOutsideIsRefused) {
  const std::string values = "data_type: 1 dims: 2 float_data: 4 float_data: 5";
  EXPECT_EQ(parse_error(text_model(sparse("dims: 2 dims: 3", values,
                                          "data_type: 7 dims: 2 int64_data: 0 int64_data: 6"))),
            "load: model in memory: sparse initializer 's': value 1 lies outside its shape [2, 3]; "
            "export it again");
  EXPECT_EQ(parse_error(text_model(
                sparse("dims: 2 dims: 3", values,
                       "data_type: 7 dims: 2 dims: 2 int64_data: 0 int64_data: 3 int64_data: 0 "
                       "int64_data: 0"))),
            "load: model in memory: sparse initializer 's': value 0 lies outside its shape [2, 3]; "
            "export it again");
}

TEST(SparseTensors, IndicesOfAnotherShapeOrTypeAreRefused) {
  EXPECT_EQ(parse_error(text_model(sparse("dims: 4", "data_type: 1 dims: 1 float_data: 4",
                                          "data_type: 6 dims: 1 int32_data: 1"))),
            "load: model in memory: sparse initializer 's': its indices are int32 [1], expected "
            "int64 [1] or [1, 1]");
}

TEST(SparseTensors, AHugeShapeIsRefusedBeforeMemoryIsAllocated) {
  EXPECT_EQ(parse_error(text_model(sparse("dims: 1000000 dims: 1000000",
                                          "data_type: 1 dims: 1 float_data: 4",
                                          "data_type: 7 dims: 1 int64_data: 1"))),
            "load: model in memory: sparse initializer 's': dense it would have 4000000000000 "
            "bytes, expected at most 2147483648; store it as a dense tensor in an external file");
}

TEST(SparseTensors, ItsNameMustBeUniqueLikeThatOfAnyInitializer) {
  EXPECT_EQ(parse_error(text_model("input { name: 'x' } " +
                                   sparse("dims: 4", "data_type: 1 dims: 1 float_data: 4",
                                          "data_type: 7 dims: 1 int64_data: 2") +
                                   " node { op_type: 'Abs' input: 'x' output: 's' }")),
            "load: model in memory: name 's' is defined twice in graph 'g', the second time by Abs "
            "#0; give one of the two another name");
}

}  // namespace
}  // namespace quantsearch
