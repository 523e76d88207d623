// Runs every operator that passes scales: scaled input channels must give scaled output channels.

#include "equalize/homogeneous.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch::equalizing {
namespace {

using quantsearch::testing::ModelBuilder;
using quantsearch::testing::random_tensor;

constexpr std::int64_t kChannels = 3;

struct Case {
  std::string name;
  std::string op;
  Shape shape;
  std::vector<Attribute> attributes;
  std::vector<Tensor> constants;  // inputs after x
  std::optional<ChannelAxis> expected;
};

void PrintTo(const Case& made, std::ostream* out) { *out << made.name; }

Attribute integer(const std::string& name, std::int64_t value) { return {name, value}; }
Attribute integers(const std::string& name, std::vector<std::int64_t> values) {
  return {name, std::move(values)};
}
Attribute text(const std::string& name, const std::string& value) { return {name, value}; }
Tensor int64s(const std::vector<std::int64_t>& values) {
  return Tensor::of<std::int64_t>({std::ssize(values)}, values);
}

Model model_of(const Case& made) {
  ModelBuilder builder;
  builder.input("x", made.shape);
  std::vector<std::string> inputs = {"x"};
  for (const Tensor& constant : made.constants) {
    inputs.push_back(builder.constant("c" + std::to_string(inputs.size()), constant));
  }
  builder.output(builder.node(made.op, inputs, made.attributes, "node"));
  return infer_shapes(builder.build_unchecked());
}

std::optional<ChannelAxis> answer(const Case& made) {
  const Model model = model_of(made);
  const ChannelAxis at{.axis = 1, .rank = static_cast<int>(made.shape.size())};
  return passes_scale(GraphIndex(model.graph), model.graph.nodes[0], "x", at, kChannels);
}

/// Multiplies channel c of `tensor` by scales[c].
Tensor scaled(Tensor tensor, int axis, const std::vector<float>& scales) {
  std::int64_t inner = 1;
  for (std::size_t i = static_cast<std::size_t>(axis) + 1; i < tensor.shape().size(); ++i)
    inner *= tensor.shape()[i];
  const auto values = tensor.mutable_values<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] *= scales[i / static_cast<std::size_t>(inner) % scales.size()];
  return tensor;
}

const Shape kImage = {2, kChannels, 5, 4};

const std::vector<Case> kPasses = {
    {"Relu", "Relu", kImage, {}, {}, ChannelAxis{1, 4}},
    {"LeakyRelu", "LeakyRelu", kImage, {}, {}, ChannelAxis{1, 4}},
    {"PReluScalar", "PRelu", kImage, {}, {Tensor::of<float>({1}, {0.3F})}, ChannelAxis{1, 4}},
    {"PReluPerChannel",
     "PRelu",
     kImage,
     {},
     {Tensor::of<float>({3, 1, 1}, {0.3F, -1, 2})},
     ChannelAxis{1, 4}},
    {"Abs", "Abs", kImage, {}, {}, ChannelAxis{1, 4}},
    {"ClipFromZero", "Clip", kImage, {}, {Tensor::scalar(0.0F)}, ChannelAxis{1, 4}},
    {"MaxPool",
     "MaxPool",
     kImage,
     {integers("kernel_shape", {2, 2}), integers("pads", {1, 1, 0, 0})},
     {},
     ChannelAxis{1, 4}},
    {"AveragePool",
     "AveragePool",
     kImage,
     {integers("kernel_shape", {2, 2}), integers("pads", {1, 1, 0, 0}),
      integer("count_include_pad", 1)},
     {},
     ChannelAxis{1, 4}},
    {"GlobalAveragePool", "GlobalAveragePool", kImage, {}, {}, ChannelAxis{1, 4}},
    {"GlobalMaxPool", "GlobalMaxPool", kImage, {}, {}, ChannelAxis{1, 4}},
    {"LpPool", "LpPool", kImage, {integers("kernel_shape", {2, 2})}, {}, ChannelAxis{1, 4}},
    {"PadWithZeros", "Pad", kImage, {}, {int64s({0, 0, 1, 2, 0, 0, 0, 1})}, ChannelAxis{1, 4}},
    {"PadByReflection",
     "Pad",
     kImage,
     {text("mode", "reflect")},
     {int64s({0, 0, 1, 2, 0, 0, 0, 1})},
     ChannelAxis{1, 4}},
    {"MeanOverSpace", "ReduceMean", kImage, {integers("axes", {2, 3})}, {}, ChannelAxis{1, 4}},
    {"MeanWithoutItsAxes",
     "ReduceMean",
     kImage,
     {integers("axes", {-1, -2}), integer("keepdims", 0)},
     {},
     ChannelAxis{1, 2}},
    {"SumWithAxesAsInput",
     "ReduceSum",
     kImage,
     {integer("keepdims", 0)},
     {int64s({0, 3})},
     ChannelAxis{0, 2}},
    {"Transpose", "Transpose", kImage, {integers("perm", {0, 2, 3, 1})}, {}, ChannelAxis{3, 4}},
    {"MulByConstant",
     "Mul",
     kImage,
     {},
     {Tensor::of<float>({3, 1, 1}, {2, -3, 0.5F})},
     ChannelAxis{1, 4}},
    {"MulByScalar", "Mul", kImage, {}, {Tensor::scalar(-2.0F)}, ChannelAxis{1, 4}},
    {"DivByPositions",
     "Div",
     kImage,
     {},
     {Tensor::of<float>({4}, {2, -3, 0.5F, 4})},
     ChannelAxis{1, 4}},
    {"FlattenOfAPooledImage", "Flatten", {2, kChannels, 1, 1}, {}, {}, ChannelAxis{1, 2}},
    {"ReshapeOfAPooledImage",
     "Reshape",
     {2, kChannels, 1, 1},
     {},
     {int64s({2, 3})},
     ChannelAxis{1, 2}},
    {"SqueezeOfAPooledImage",
     "Squeeze",
     {2, kChannels, 1, 1},
     {},
     {int64s({2, 3})},
     ChannelAxis{1, 2}},
};

const std::vector<Case> kStops = {
    {"Sigmoid", "Sigmoid", kImage, {}, {}, {}},
    {"Clip6", "Clip", kImage, {}, {Tensor::scalar(0.0F), Tensor::scalar(6.0F)}, {}},
    {"ClipFromMinusOne", "Clip", kImage, {}, {Tensor::scalar(-1.0F)}, {}},
    {"PadWithOnes",
     "Pad",
     kImage,
     {},
     {int64s({0, 0, 1, 0, 0, 0, 0, 0}), Tensor::scalar(1.0F)},
     {}},
    {"PadOfChannels", "Pad", kImage, {}, {int64s({0, 1, 0, 0, 0, 0, 0, 0})}, {}},
    {"MeanOverChannels", "ReduceMean", kImage, {integers("axes", {1})}, {}, {}},
    {"MeanOverEverything", "ReduceMean", kImage, {}, {}, {}},
    {"FlattenOfAnImage", "Flatten", kImage, {}, {}, {}},
    {"ReshapeThatMovesChannels", "Reshape", {2, kChannels, 1, 1}, {}, {int64s({3, 2})}, {}},
    {"MulThatAddsAnAxis", "Mul", kImage, {}, {Tensor(DataType::float32, {1, 1, 1, 1, 1})}, {}},
    {"Softmax", "Softmax", kImage, {}, {}, {}},
};

class Passing : public ::testing::TestWithParam<Case> {};

TEST_P(Passing, OutputChannelsHaveTheScalesOfTheInput) {
  const Case& made = GetParam();
  ASSERT_EQ(answer(made), made.expected);
  const Model model = model_of(made);
  const auto session = open_session(model, {.threads = 1, .optimize = false, .taps = {}});
  const std::vector<float> scales = {0.25F, 1, 8};
  const Tensor input = random_tensor(made.shape, 7);
  const Tensor plain = session->run({{"x", input}}).at("node_out");
  const Tensor got = session->run({{"x", scaled(input, 1, scales)}}).at("node_out");
  const Tensor expected = scaled(plain, made.expected->axis, scales);
  ASSERT_EQ(got.shape(), expected.shape());
  ASSERT_EQ(std::ssize(got.shape()), made.expected->rank);
  for (std::size_t i = 0; i < got.values<float>().size(); ++i)
    EXPECT_NEAR(got.values<float>()[i], expected.values<float>()[i], 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Operators, Passing, ::testing::ValuesIn(kPasses),
                         [](const auto& info) { return info.param.name; });

class Stopping : public ::testing::TestWithParam<Case> {};

TEST_P(Stopping, EndsAChain) { EXPECT_EQ(answer(GetParam()), std::nullopt); }

INSTANTIATE_TEST_SUITE_P(Operators, Stopping, ::testing::ValuesIn(kStops),
                         [](const auto& info) { return info.param.name; });

TEST(PassesScale, ATensorReadAsSlopeEndsAChain) {
  ModelBuilder builder;
  builder.input("x", {1, kChannels});
  builder.input("y", {1, kChannels});
  builder.output(builder.node("PRelu", {"y", "x"}));
  const Model model = builder.build_unchecked();
  EXPECT_EQ(passes_scale(GraphIndex(model.graph), model.graph.nodes[0], "x", {1, 2}, kChannels),
            std::nullopt);
}

TEST(PassesScale, AMaxPoolWithIndicesEndsAChain) {
  ModelBuilder builder;
  builder.input("x", kImage);
  builder.add({.op_type = "MaxPool",
               .domain = "",
               .name = "pool",
               .inputs = {"x"},
               .outputs = {"y", "indices"},
               .attributes = {integers("kernel_shape", {2, 2})},
               .extra = ""});
  const Model model = builder.build_unchecked();
  EXPECT_EQ(passes_scale(GraphIndex(model.graph), model.graph.nodes[0], "x", {1, 4}, kChannels),
            std::nullopt);
}

}  // namespace
}  // namespace quantsearch::equalizing
