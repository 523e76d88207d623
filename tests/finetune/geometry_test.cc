// Compares a layer as a matrix product with ONNX Runtime's operator at every position.

#include "finetune/geometry.h"

#include <gtest/gtest.h>

#include <ostream>

#include "quantsearch/base/error.h"
#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch::reconstruction {
namespace {

using testing::ModelBuilder;
using Ints = std::vector<std::int64_t>;

Attribute whole(const std::string& name, std::int64_t value) { return {name, value}; }
Attribute list(const std::string& name, Ints values) { return {name, std::move(values)}; }
Attribute text(const std::string& name, std::string value) { return {name, std::move(value)}; }

struct Case {
  std::string name;
  std::string op_type;
  Shape input;
  Shape weight;
  std::vector<Attribute> attributes = {};
};

void PrintTo(const Case& value, std::ostream* stream) { *stream << value.name; }

class Geometry : public ::testing::TestWithParam<Case> {};

/// y[g*R + r] at one position of `columns`, summed in double.
double product_at(const LayerShape& shape, const std::vector<float>& rows, const Columns& columns,
                  std::int64_t output, std::int64_t position) {
  double sum = 0;
  for (std::int64_t column = 0; column < shape.columns; ++column) {
    const std::int64_t input = output / shape.rows * shape.columns + column;
    sum += static_cast<double>(rows[static_cast<std::size_t>(output * shape.columns + column)]) *
           static_cast<double>(
               columns.inputs[static_cast<std::size_t>(input * columns.count + position)]);
  }
  return sum;
}

Columns columns_of(const LayerGeometry& geometry, const PositionTable& table, const Tensor& input,
                   const Tensor& output) {
  Columns columns;
  columns.count = table.count;
  columns.inputs.resize(
      static_cast<std::size_t>(geometry.shape.groups * geometry.shape.columns * table.count));
  columns.targets.resize(static_cast<std::size_t>(geometry.shape.outputs() * table.count));
  gather_inputs(geometry, table, input, 0, columns);
  gather_targets(geometry, table, output, 0, columns);
  return columns;
}

TEST_P(Geometry, TheProductEqualsTheOperator) {
  const Case& tested = GetParam();
  ModelBuilder builder;
  const std::string x = builder.input("x", tested.input);
  const std::string w = builder.random_weight("w", tested.weight, 1, 5);
  builder.output(builder.node(tested.op_type, {x, w}, tested.attributes));
  const Model model = builder.build();
  const Tensor input = testing::random_tensor(tested.input, 7);
  const Tensor output = open_session(model)->run({{"x", input}}).begin()->second;
  const Tensor& weight = *model.graph.find_initializer("w");

  const LayerGeometry geometry = geometry_of(model.graph.nodes[0], weight.shape());
  const PositionTable table = position_table(geometry, input.shape(), output.shape(), 0, 1);
  ASSERT_EQ(table.count * geometry.shape.outputs(), output.size());
  const Columns columns = columns_of(geometry, table, input, output);
  const std::vector<float> rows = to_rows<float>(geometry, weight.values<float>());
  for (std::int64_t channel = 0; channel < geometry.shape.outputs(); ++channel) {
    for (std::int64_t position = 0; position < table.count; ++position) {
      ASSERT_NEAR(product_at(geometry.shape, rows, columns, channel, position),
                  columns.targets[static_cast<std::size_t>(channel * table.count + position)], 1e-4)
          << "output " << channel << ", position " << position;
    }
  }
}

TEST_P(Geometry, FirstAndStepChoosePositions) {
  const Case& tested = GetParam();
  ModelBuilder builder;
  const std::string x = builder.input("x", tested.input);
  builder.output(builder.node(tested.op_type, {x, builder.random_weight("w", tested.weight, 1, 5)},
                              tested.attributes));
  const Model model = builder.build();
  const Tensor input = testing::random_tensor(tested.input, 7);
  const Tensor output = open_session(model)->run({{"x", input}}).begin()->second;
  const LayerGeometry geometry = geometry_of(model.graph.nodes[0], tested.weight);
  const auto columns = [&](std::int64_t first, std::int64_t step) {
    return columns_of(geometry,
                      position_table(geometry, input.shape(), output.shape(), first, step), input,
                      output);
  };
  const Columns all = columns(0, 1);
  for (const std::int64_t step : {2, 3}) {
    const Columns some = columns(step - 1, step);
    ASSERT_EQ(some.count, all.count / step);
    for (std::int64_t at = 0; at < some.count; ++at) {
      const std::int64_t whole = step - 1 + at * step;
      for (std::int64_t row = 0; row < geometry.shape.groups * geometry.shape.columns; ++row)
        ASSERT_EQ(some.inputs[row * some.count + at], all.inputs[row * all.count + whole]);
      for (std::int64_t row = 0; row < geometry.shape.outputs(); ++row)
        ASSERT_EQ(some.targets[row * some.count + at], all.targets[row * all.count + whole]);
    }
  }
}

TEST_P(Geometry, FromRowsInvertsToRows) {
  const Case& tested = GetParam();
  ModelBuilder builder;
  builder.output(builder.node(
      tested.op_type,
      {builder.input("x", tested.input), builder.random_weight("w", tested.weight, 1, 5)},
      tested.attributes));
  const LayerGeometry geometry = geometry_of(builder.build().graph.nodes[0], tested.weight);
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(element_count(tested.weight)));
  for (std::size_t at = 0; at < numbers.size(); ++at) numbers[at] = static_cast<std::int64_t>(at);
  const std::vector<std::int64_t> rows = to_rows<std::int64_t>(geometry, numbers);
  const std::vector<std::int32_t> narrow(rows.begin(), rows.end());
  const std::vector<std::int32_t> back = from_rows<std::int32_t>(geometry, narrow);
  EXPECT_TRUE(std::equal(back.begin(), back.end(), numbers.begin()));
}

INSTANTIATE_TEST_SUITE_P(
    Layers, Geometry,
    ::testing::Values(
        Case{"Conv1d", "Conv", {2, 3, 11}, {4, 3, 3}, {list("strides", {2}), list("pads", {1, 2})}},
        Case{"Conv2d",
             "Conv",
             {2, 4, 9, 7},
             {6, 2, 3, 2},
             {whole("group", 2), list("dilations", {2, 1}), list("pads", {1, 0, 2, 1})}},
        Case{"Conv3d", "Conv", {1, 2, 5, 4, 6}, {3, 2, 2, 3, 2}, {list("strides", {1, 2, 2})}},
        Case{"Depthwise",
             "Conv",
             {1, 5, 8, 8},
             {5, 1, 3, 3},
             {whole("group", 5), list("pads", {1, 1, 1, 1})}},
        Case{"DepthMultiplier", "Conv", {1, 3, 6, 6}, {6, 1, 3, 3}, {whole("group", 3)}},
        Case{"SameUpper",
             "Conv",
             {1, 2, 7, 8},
             {3, 2, 4, 3},
             {text("auto_pad", "SAME_UPPER"), list("strides", {2, 2})}},
        Case{"SameLower",
             "Conv",
             {1, 2, 7, 8},
             {3, 2, 4, 3},
             {text("auto_pad", "SAME_LOWER"), list("strides", {2, 2})}},
        Case{"Valid", "Conv", {1, 2, 7, 8}, {3, 2, 4, 3}, {text("auto_pad", "VALID")}},
        Case{"Transposed",
             "ConvTranspose",
             {2, 4, 5, 6},
             {4, 3, 3, 3},
             {list("strides", {2, 2}), list("pads", {1, 0, 1, 2})}},
        Case{"TransposedOutputPadding",
             "ConvTranspose",
             {1, 2, 5, 5},
             {2, 3, 3, 3},
             {list("strides", {2, 2}), list("pads", {1, 1, 1, 1}), list("output_padding", {1, 1})}},
        Case{"TransposedGroups",
             "ConvTranspose",
             {1, 4, 5, 5},
             {4, 3, 2, 2},
             {whole("group", 2), list("strides", {2, 2})}},
        Case{"TransposedDilated",
             "ConvTranspose",
             {1, 2, 5},
             {2, 3, 3},
             {list("dilations", {2}), list("strides", {3})}},
        Case{"TransposedSameUpper",
             "ConvTranspose",
             {1, 2, 5, 5},
             {2, 3, 4, 3},
             {text("auto_pad", "SAME_UPPER"), list("strides", {3, 2})}},
        Case{"TransposedSameLower",
             "ConvTranspose",
             {1, 2, 5, 5},
             {2, 3, 4, 3},
             {text("auto_pad", "SAME_LOWER"), list("strides", {3, 2})}},
        Case{"TransposedOutputShape",
             "ConvTranspose",
             {1, 2, 5, 5},
             {2, 3, 3, 3},
             {list("output_shape", {10, 10}), list("strides", {2, 2})}},
        Case{"Gemm", "Gemm", {4, 3}, {3, 5}},
        Case{"GemmTransposed", "Gemm", {3, 4}, {5, 3}, {whole("transA", 1), whole("transB", 1)}},
        Case{"MatMul", "MatMul", {4, 3}, {3, 5}},
        Case{"MatMulStacked", "MatMul", {2, 3, 4, 3}, {3, 5}},
        Case{"MatMulVector", "MatMul", {3}, {3, 5}}),
    [](const auto& info) { return info.param.name; });

TEST(GeometryOf, AStackOfMatricesIsUnsupported) {
  ModelBuilder builder;
  builder.output(builder.node(
      "MatMul", {builder.input("x", {2, 1, 2}), builder.weight("w", {2, 2, 1}, {1, 1, 1, 1})}));
  EXPECT_THROW((void)geometry_of(builder.build().graph.nodes[0], {2, 2, 1}), Unsupported);
}

TEST(GeometryOf, ShapesThatDoNotFitAreErrors) {
  ModelBuilder builder;
  builder.output(builder.node(
      "Conv", {builder.input("x", {1, 2, 4, 4}), builder.random_weight("w", {3, 2, 3, 3}, 1, 5)}));
  const LayerGeometry geometry = geometry_of(builder.build().graph.nodes[0], {3, 2, 3, 3});
  EXPECT_THROW((void)position_table(geometry, {1, 5, 4, 4}, {1, 3, 2, 2}, 0, 1), InvalidInput);
}

}  // namespace
}  // namespace quantsearch::reconstruction
