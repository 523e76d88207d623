// Hand-computed values for the reference session. reference_against_ort_test.cc compares it with
// ONNX Runtime, and reference_node_suite_test.cc with the specification's own examples.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "quantsearch/base/error.h"
#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;
using Ints = std::vector<std::int64_t>;

/// The single output of one node. The first input is fed, and the others are constants.
Tensor compute(const std::string& op_type, const std::vector<Tensor>& inputs,
               std::vector<Attribute> attributes = {}, std::int64_t opset = 17) {
  ModelBuilder builder(opset);
  std::vector<std::string> names = {builder.input("x", inputs[0].shape(), inputs[0].type())};
  for (std::size_t index = 1; index < inputs.size(); ++index) {
    names.push_back(builder.constant("c" + std::to_string(index), inputs[index]));
  }
  builder.output(builder.node(op_type, names, std::move(attributes), "node"));
  return open_reference_session(builder.build_unchecked())->run({{"x", inputs[0]}}).at("node_out");
}

Tensor row(const std::vector<float>& values) {
  return Tensor::of<float>({static_cast<std::int64_t>(values.size())}, values);
}

Tensor ints(const Ints& values) {
  return Tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values);
}

Tensor image(const Shape& shape, const std::vector<float>& values) {
  return Tensor::of<float>(shape, values);
}

TEST(ReferenceConv, SlidesTheKernel) {
  const Tensor x = image({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  const Tensor w = image({1, 1, 2, 2}, {1, 0, 0, -1});
  EXPECT_EQ(compute("Conv", {x, w, row({0.5F})}),
            image({1, 1, 2, 2}, {-3.5F, -3.5F, -3.5F, -3.5F}));
}

TEST(ReferenceConv, PadsStridesAndDilates) {
  const Tensor x = image({1, 1, 5}, {1, 2, 3, 4, 5});
  const Tensor w = image({1, 1, 2}, {1, 10});
  EXPECT_EQ(compute("Conv", {x, w}, {{"pads", Ints{1, 0}}, {"strides", Ints{2}}}),
            image({1, 1, 3}, {10, 32, 54}));
  EXPECT_EQ(compute("Conv", {x, w}, {{"dilations", Ints{3}}}), image({1, 1, 2}, {41, 52}));
  EXPECT_EQ(compute("Conv", {x, w}, {{"auto_pad", std::string("SAME_UPPER")}}),
            image({1, 1, 5}, {21, 32, 43, 54, 5}));
  EXPECT_EQ(compute("Conv", {x, w}, {{"auto_pad", std::string("SAME_LOWER")}}),
            image({1, 1, 5}, {10, 21, 32, 43, 54}));
}

TEST(ReferenceConv, KeepsGroupsApart) {
  const Tensor x = image({1, 2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(compute("Conv", {x, image({2, 1, 1}, {10, 100})}, {{"group", std::int64_t{2}}}),
            image({1, 2, 2}, {10, 20, 300, 400}));
}

TEST(ReferenceConv, RefusesAWeightThatDoesNotFit) {
  EXPECT_THROW(compute("Conv", {image({1, 3, 2}, {1, 2, 3, 4, 5, 6}), image({1, 2, 1}, {1, 1})}),
               InvalidInput);
}

TEST(ReferenceConvTranspose, SpreadsEachValue) {
  const Tensor x = image({1, 1, 2}, {1, 2});
  const Tensor w = image({1, 1, 3}, {1, 10, 100});
  EXPECT_EQ(compute("ConvTranspose", {x, w}, {{"strides", Ints{2}}}),
            image({1, 1, 5}, {1, 10, 102, 20, 200}));
  EXPECT_EQ(compute("ConvTranspose", {x, w}, {{"strides", Ints{2}}, {"pads", Ints{1, 1}}}),
            image({1, 1, 3}, {10, 102, 20}));
}

TEST(ReferenceGemm, TransposesScalesAndAdds) {
  const Tensor a = image({2, 1}, {1, 2});
  const Tensor b = image({3, 2}, {1, 2, 3, 4, 5, 6});
  const Tensor result = compute(
      "Gemm", {a, b, row({1, 2, 3})},
      {{"alpha", 2.0F}, {"beta", 10.0F}, {"transA", std::int64_t{1}}, {"transB", std::int64_t{1}}});
  EXPECT_EQ(result, image({1, 3}, {20, 42, 64}));
}

TEST(ReferenceMatMul, MultipliesVectorsAndStacks) {
  EXPECT_EQ(compute("MatMul", {row({1, 2}), row({3, 4})}), Tensor::scalar(11.0F));
  EXPECT_EQ(compute("MatMul", {row({1, 2}), image({2, 2}, {1, 0, 0, 1})}), row({1, 2}));
  EXPECT_EQ(compute("MatMul", {image({2, 1, 1}, {2, 3}), image({1, 2}, {5, 7})}),
            image({2, 1, 2}, {10, 14, 15, 21}));
  EXPECT_THROW(compute("MatMul", {row({1, 2}), row({3, 4, 5})}), InvalidInput);
}

TEST(ReferenceElementwise, BroadcastsBothWays) {
  const Tensor a = image({2, 1}, {1, 10});
  EXPECT_EQ(compute("Add", {a, row({1, 2, 3})}), image({2, 3}, {2, 3, 4, 11, 12, 13}));
  EXPECT_EQ(compute("Sub", {a, row({1, 2})}), image({2, 2}, {0, -1, 9, 8}));
  EXPECT_EQ(compute("Mul", {row({3}), image({2, 2}, {1, 2, 3, 4})}), image({2, 2}, {3, 6, 9, 12}));
  EXPECT_EQ(compute("Div", {row({1, -4}), row({2})}), row({0.5F, -2}));
  EXPECT_EQ(compute("Pow", {row({2, 3}), row({3, 2})}), row({8, 9}));
  EXPECT_EQ(compute("Min", {row({1, 5}), row({3}), row({2, 2})}), row({1, 2}));
  EXPECT_EQ(compute("Max", {row({1, 5}), row({3})}), row({3, 5}));
  EXPECT_THROW(compute("Add", {row({1, 2}), row({1, 2, 3})}), InvalidInput);
}

TEST(ReferenceElementwise, DividesIntegersTowardsZero) {
  EXPECT_EQ(compute("Div", {ints({-7, 7}), ints({2, -2})}), ints({-3, -3}));
  EXPECT_THROW(compute("Div", {ints({1}), ints({0})}), InvalidInput);
}

TEST(ReferenceElementwise, CastsFloatsByTruncating) {
  const auto to = [](DataType type) {
    return std::vector<Attribute>{{"to", static_cast<std::int64_t>(type)}};
  };
  EXPECT_EQ(compute("Cast", {row({1.9F, -1.9F})}, to(DataType::int64)), ints({1, -1}));
  EXPECT_EQ(compute("Cast", {ints({3})}, to(DataType::float32)), row({3}));
}

TEST(ReferenceActivations, FollowTheirFormulas) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(compute("Relu", {row({-1, 0, 2})}), row({0, 0, 2}));
  EXPECT_EQ(compute("LeakyRelu", {row({-2, 2})}, {{"alpha", 0.5F}}), row({-1, 2}));
  EXPECT_EQ(compute("Sigmoid", {row({0, infinity, -infinity})}), row({0.5F, 1, 0}));
  EXPECT_EQ(compute("Tanh", {row({0, infinity})}), row({0, 1}));
  EXPECT_EQ(compute("HardSigmoid", {row({-3, 0, 3})}), row({0, 0.5F, 1}));
  EXPECT_EQ(compute("HardSwish", {row({-1, 0, 3})}), row({-1.0F / 3, 0, 3}));
  EXPECT_EQ(compute("Sqrt", {row({9, 0})}), row({3, 0}));
  EXPECT_EQ(compute("Neg", {row({1, -2})}), row({-1, 2}));
  EXPECT_EQ(compute("Abs", {row({1, -2})}), row({1, 2}));
  EXPECT_EQ(compute("Exp", {row({0, -infinity})}), row({1, 0}));
  EXPECT_EQ(compute("Erf", {row({0, infinity})}), row({0, 1}));
}

TEST(ReferenceActivations, ClipByInputsAndByAttributes) {
  const Tensor x = row({-3, 1, 9});
  EXPECT_EQ(compute("Clip", {x, Tensor::scalar(0.0F), Tensor::scalar(6.0F)}), row({0, 1, 6}));
  EXPECT_EQ(compute("Clip", {x, Tensor::scalar(0.0F)}), row({0, 1, 9}));
  EXPECT_EQ(compute("Clip", {x}, {{"min", 0.0F}, {"max", 6.0F}}, 9), row({0, 1, 6}));
}

TEST(ReferenceActivations, KeepNan) {
  const Tensor x = row({std::numeric_limits<float>::quiet_NaN()});
  EXPECT_TRUE(std::isnan(compute("Relu", {x}).values<float>()[0]));
  EXPECT_TRUE(std::isnan(compute("Clip", {x, Tensor::scalar(0.0F)}).values<float>()[0]));
  EXPECT_TRUE(std::isnan(compute("Max", {x, row({1})}).values<float>()[0]));
}

TEST(ReferencePooling, TakesMaximaAndMeans) {
  const Tensor x = image({1, 1, 4}, {1, 5, 3, 2});
  EXPECT_EQ(compute("MaxPool", {x}, {{"kernel_shape", Ints{2}}, {"strides", Ints{2}}}),
            image({1, 1, 2}, {5, 3}));
  EXPECT_EQ(compute("AveragePool", {x}, {{"kernel_shape", Ints{2}}, {"pads", Ints{1, 0}}}),
            image({1, 1, 4}, {1, 3, 4, 2.5F}));
  EXPECT_EQ(compute("AveragePool", {x},
                    {{"kernel_shape", Ints{2}},
                     {"pads", Ints{1, 0}},
                     {"count_include_pad", std::int64_t{1}}}),
            image({1, 1, 4}, {0.5F, 3, 4, 2.5F}));
  EXPECT_EQ(compute("GlobalAveragePool", {x}), image({1, 1, 1}, {2.75F}));
  EXPECT_EQ(compute("GlobalMaxPool", {x}), image({1, 1, 1}, {5}));
}

TEST(ReferencePooling, CeilModeLeavesOutWindowsThatStartInThePadding) {
  const Tensor x = image({1, 1, 5}, {1, 2, 3, 4, 5});
  EXPECT_EQ(
      compute("MaxPool", {x},
              {{"kernel_shape", Ints{2}}, {"strides", Ints{2}}, {"ceil_mode", std::int64_t{1}}}),
      image({1, 1, 3}, {2, 4, 5}));
}

TEST(ReferenceNormalization, UsesChannelStatistics) {
  const Tensor x = image({1, 2, 2}, {1, 2, 3, 4});
  const Tensor result =
      compute("BatchNormalization", {x, row({1, 2}), row({0, 1}), row({1, 3}), row({1, 4})},
              {{"epsilon", 0.0F}});
  EXPECT_EQ(result, image({1, 2, 2}, {0, 1, 1, 2}));
}

TEST(ReferenceNormalization, NormalizesRows) {
  const Tensor result =
      compute("LayerNormalization", {image({2, 2}, {1, 3, -2, 2}), row({1, 2}), row({0, 5})},
              {{"epsilon", 0.0F}});
  EXPECT_EQ(result, image({2, 2}, {-1, 7, -1, 7}));
}

TEST(ReferenceNormalization, SoftmaxChangedItsAxesAtOpset13) {
  const Tensor x = Tensor(DataType::float32, {1, 2, 2});
  EXPECT_EQ(compute("Softmax", {x}), image({1, 2, 2}, {0.5F, 0.5F, 0.5F, 0.5F}));
  EXPECT_EQ(compute("Softmax", {x}, {}, 11), image({1, 2, 2}, {0.25F, 0.25F, 0.25F, 0.25F}));
  EXPECT_EQ(compute("Softmax", {row({1000, 1000})}), row({0.5F, 0.5F}));
}

TEST(ReferenceNormalization, ReduceMeanDropsOrKeepsAxes) {
  const Tensor x = image({2, 2}, {1, 3, 5, 7});
  EXPECT_EQ(compute("ReduceMean", {x}, {{"axes", Ints{-1}}, {"keepdims", std::int64_t{0}}}),
            row({2, 6}));
  EXPECT_EQ(compute("ReduceMean", {x}, {{"axes", Ints{0}}}), image({1, 2}, {3, 5}));
  EXPECT_EQ(compute("ReduceMean", {x}), image({1, 1}, {4}));
  EXPECT_EQ(compute("ReduceMean", {x, ints({0})}, {}, 18), image({1, 2}, {3, 5}));
}

TEST(ReferenceLayout, ChangesShapes) {
  const Tensor x = image({2, 1, 2}, {1, 2, 3, 4});
  EXPECT_EQ(compute("Reshape", {x, ints({0, -1})}), image({2, 2}, {1, 2, 3, 4}));
  EXPECT_EQ(compute("Flatten", {x}, {{"axis", std::int64_t{-1}}}), image({2, 2}, {1, 2, 3, 4}));
  EXPECT_EQ(compute("Squeeze", {x, ints({1})}), image({2, 2}, {1, 2, 3, 4}));
  EXPECT_EQ(compute("Squeeze", {x}, {{"axes", Ints{1}}}, 11), image({2, 2}, {1, 2, 3, 4}));
  EXPECT_EQ(compute("Unsqueeze", {x, ints({0, -1})}).shape(), (Shape{1, 2, 1, 2, 1}));
  EXPECT_EQ(compute("Shape", {x}), ints({2, 1, 2}));
  EXPECT_EQ(compute("Identity", {x}), x);
  EXPECT_EQ(compute("Dropout", {x}), x);
}

TEST(ReferenceLayout, MovesElements) {
  const Tensor x = image({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(compute("Transpose", {x}), image({3, 2}, {1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(compute("Slice", {x, ints({0}), ints({std::numeric_limits<std::int64_t>::max()}),
                              ints({1}), ints({2})}),
            image({2, 2}, {1, 3, 4, 6}));
  EXPECT_EQ(compute("Slice", {row({1, 2, 3}), ints({-1}), ints({-100}), ints({0}), ints({-1})}),
            row({3, 2, 1}));
  EXPECT_EQ(compute("Concat", {x, image({2, 1}, {7, 8})}, {{"axis", std::int64_t{1}}}),
            image({2, 4}, {1, 2, 3, 7, 4, 5, 6, 8}));
  EXPECT_EQ(compute("Gather", {x, ints({-1, 0})}, {{"axis", std::int64_t{1}}}),
            image({2, 2}, {3, 1, 6, 4}));
  EXPECT_THROW(compute("Gather", {x, ints({3})}, {{"axis", std::int64_t{1}}}), InvalidInput);
}

TEST(ReferenceLayout, Pads) {
  const Tensor x = row({1, 2, 3});
  const auto mode = [](const char* name) {
    return std::vector<Attribute>{{"mode", std::string(name)}};
  };
  EXPECT_EQ(compute("Pad", {x, ints({1, 2}), Tensor::scalar(9.0F)}), row({9, 1, 2, 3, 9, 9}));
  EXPECT_EQ(compute("Pad", {x, ints({2, 2})}, mode("reflect")), row({3, 2, 1, 2, 3, 2, 1}));
  EXPECT_EQ(compute("Pad", {x, ints({1, 1})}, mode("edge")), row({1, 1, 2, 3, 3}));
  EXPECT_EQ(compute("Pad", {x, ints({-1, 0})}), row({2, 3}));
}

TEST(ReferenceLayout, SplitsEvenlyOrAsAsked) {
  ModelBuilder builder;
  const std::string x = builder.input("x", {5});
  builder.add({.op_type = "Split",
               .domain = "",
               .name = "s",
               .inputs = {x, builder.constant("sizes", ints({2, 3}))},
               .outputs = {"a", "b"},
               .attributes = {},
               .extra = ""});
  builder.output("a");
  builder.output("b");
  const Batch outputs =
      open_reference_session(builder.build_unchecked())->run({{"x", row({1, 2, 3, 4, 5})}});
  EXPECT_EQ(outputs, (Batch{{"a", row({1, 2})}, {"b", row({3, 4, 5})}}));
}

TEST(ReferenceQuantization, RoundsTiesToEvenAndSaturates) {
  const Tensor scale = Tensor::scalar(2.0F);
  const Tensor x = row({1, 3, 5, -1, 1000, -1000, 0});
  const Tensor result = compute("QuantizeLinear", {x, scale, Tensor::scalar(std::uint8_t{10})});
  EXPECT_EQ(result, Tensor::of<std::uint8_t>({7}, {10, 12, 12, 10, 255, 0, 10}));
  EXPECT_EQ(compute("DequantizeLinear", {result, scale, Tensor::scalar(std::uint8_t{10})}),
            row({0, 4, 4, 0, 490, -20, 0}));
}

TEST(ReferenceQuantization, HasOneScalePerChannel) {
  const Tensor x = image({2, 2}, {1, 2, 30, 40});
  const Tensor zeros = Tensor::of<std::int8_t>({2}, {0, 0});
  EXPECT_EQ(compute("QuantizeLinear", {x, row({1, 10}), zeros}, {{"axis", std::int64_t{0}}}),
            Tensor::of<std::int8_t>({2, 2}, {1, 2, 3, 4}));
  EXPECT_EQ(compute("QuantizeLinear", {x, row({1, 10}), zeros}),
            Tensor::of<std::int8_t>({2, 2}, {1, 0, 30, 4}));
}

TEST(ReferenceQuantization, CoversSixteenBitsAndInt32) {
  const Tensor scale = Tensor::scalar(0.5F);
  EXPECT_EQ(
      compute("QuantizeLinear", {row({1e6F, -1}), scale, Tensor::scalar(std::int16_t{0})}, {}, 21),
      Tensor::of<std::int16_t>({2}, {32767, -2}));
  EXPECT_EQ(
      compute("QuantizeLinear", {row({1e6F, -1}), scale, Tensor::scalar(std::uint16_t{4})}, {}, 21),
      Tensor::of<std::uint16_t>({2}, {65535, 2}));
  EXPECT_EQ(compute("DequantizeLinear", {Tensor::of<std::int32_t>({2}, {-3, 100000}), scale}),
            row({-1.5F, 50000}));
}

TEST(ReferenceSession, NamesAnUnknownOperator) {
  ModelBuilder builder;
  builder.output(builder.node("Cosh", {builder.input("x", {1})}, {}, "top/cosh"), {1});
  try {
    (void)open_reference_session(builder.build());
    FAIL() << "opened";
  } catch (const Unsupported& error) {
    EXPECT_STREQ(error.what(),
                 "reference session: Cosh 'top/cosh' is an operator it does not know");
  }
}

TEST(ReferenceSession, GivesTaps) {
  ModelBuilder builder;
  const std::string relu = builder.node("Relu", {builder.input("x", {2})}, {}, "relu");
  builder.output(builder.node("Neg", {relu}, {}, "neg"), {2});
  const Batch outputs =
      open_reference_session(builder.build(), {"relu_out"})->run({{"x", row({-1, 2})}});
  EXPECT_EQ(outputs.at("relu_out"), row({0, 2}));
  EXPECT_EQ(outputs.size(), 2U);
}

TEST(ReferenceSession, StopsWhenCancelled) {
  ModelBuilder builder;
  builder.output(builder.node("Relu", {builder.input("x", {1})}), {1});
  const CancellationToken token;
  token.cancel();
  EXPECT_THROW((void)open_reference_session(builder.build())->run({{"x", row({1})}}, token),
               Cancelled);
}

}  // namespace
}  // namespace quantsearch
