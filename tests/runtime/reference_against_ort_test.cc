// Compares the reference session with ONNX Runtime without optimization on random inputs, with one
// model per operator variant.

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;
using testing::random_tensor;
using Ints = std::vector<std::int64_t>;

struct Case {
  std::string name;
  std::function<void(ModelBuilder&)> build;
  std::int64_t opset = 17;
};

// Keeps failure messages short.
void PrintTo(const Case& value, std::ostream* stream) { *stream << value.name; }

Attribute whole(const std::string& name, std::int64_t value) { return {name, value}; }
Attribute list(const std::string& name, Ints values) { return {name, std::move(values)}; }
Attribute text(const std::string& name, std::string value) { return {name, std::move(value)}; }

std::string ints(ModelBuilder& builder, const std::string& name, const Ints& values) {
  return builder.constant(
      name, Tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
}

/// One node on a random input; its further inputs are random weights of the given shapes.
Case one(const std::string& name, const std::string& op_type, const Shape& input,
         const std::vector<Shape>& weights, const std::vector<Attribute>& attributes,
         std::int64_t opset = 17) {
  const auto build = [=](ModelBuilder& builder) {
    std::vector<std::string> names = {builder.input("x", input)};
    for (const Shape& shape : weights) {
      names.push_back(
          builder.random_weight("w" + std::to_string(names.size()), shape, 1, 10 + names.size()));
    }
    builder.output(builder.node(op_type, names, attributes));
  };
  return {.name = name, .build = build, .opset = opset};
}

std::vector<Case> convolution_cases() {
  return {
      one("Conv1d", "Conv", {2, 3, 11}, {{4, 3, 3}, {4}},
          {list("strides", {2}), list("pads", {1, 2})}),
      one("Conv2d", "Conv", {2, 4, 9, 7}, {{6, 2, 3, 2}, {6}},
          {whole("group", 2), list("dilations", {2, 1}), list("pads", {1, 0, 2, 1}),
           list("strides", {1, 2})}),
      one("Conv3d", "Conv", {1, 2, 4, 5, 6}, {{3, 2, 2, 3, 1}}, {list("pads", {0, 1, 0, 1, 1, 0})}),
      one("ConvDepthwise", "Conv", {1, 5, 6, 6}, {{5, 1, 3, 3}, {5}},
          {whole("group", 5), list("pads", {1, 1, 1, 1})}),
      one("ConvSameUpper", "Conv", {1, 2, 7, 8}, {{3, 2, 3, 4}},
          {text("auto_pad", "SAME_UPPER"), list("strides", {2, 3})}),
      one("ConvSameLower", "Conv", {1, 2, 7, 8}, {{3, 2, 2, 4}},
          {text("auto_pad", "SAME_LOWER"), list("strides", {2, 3})}),
      one("ConvValid", "Conv", {1, 2, 7, 8}, {{3, 2, 3, 4}}, {text("auto_pad", "VALID")}),
      one("ConvTranspose2d", "ConvTranspose", {2, 4, 3, 4}, {{4, 3, 3, 2}, {3}},
          {list("strides", {2, 3}), list("pads", {1, 0, 0, 1}), list("output_padding", {1, 2})}),
      one("ConvTransposeGroups", "ConvTranspose", {1, 4, 5}, {{4, 3, 3}, {6}},
          {whole("group", 2), list("dilations", {2})}),
      one("ConvTransposeOutputShape", "ConvTranspose", {1, 2, 3, 3}, {{2, 1, 3, 3}},
          {list("strides", {3, 2}), list("output_shape", {10, 8})}),
      one("ConvTransposeSame", "ConvTranspose", {1, 2, 3, 3}, {{2, 1, 3, 3}},
          {list("strides", {2, 2}), text("auto_pad", "SAME_UPPER")}),
  };
}

std::vector<Case> pooling_cases() {
  return {
      one("MaxPool", "MaxPool", {2, 3, 9, 8}, {},
          {list("kernel_shape", {3, 2}), list("strides", {2, 2}), list("pads", {1, 0, 1, 1})}),
      one("MaxPoolCeilDilated", "MaxPool", {1, 2, 10, 9}, {},
          {list("kernel_shape", {2, 2}), list("strides", {3, 2}), list("dilations", {2, 3}),
           whole("ceil_mode", 1)}),
      one("MaxPool1d", "MaxPool", {1, 2, 10}, {},
          {list("kernel_shape", {3}), text("auto_pad", "SAME_LOWER")}),
      one("AveragePool", "AveragePool", {2, 3, 9, 8}, {},
          {list("kernel_shape", {3, 2}), list("strides", {2, 2}), list("pads", {1, 0, 1, 1})}),
      one("AveragePoolCountingPads", "AveragePool", {1, 2, 6, 7}, {},
          {list("kernel_shape", {3, 3}), list("pads", {1, 1, 1, 1}),
           whole("count_include_pad", 1)}),
      one("AveragePoolCeil", "AveragePool", {1, 2, 7, 8}, {},
          {list("kernel_shape", {3, 3}), list("strides", {2, 2}), whole("ceil_mode", 1)}),
      one("AveragePoolSame", "AveragePool", {1, 2, 7, 8}, {},
          {list("kernel_shape", {3, 3}), list("strides", {2, 2}), text("auto_pad", "SAME_UPPER")}),
      one("GlobalAveragePool", "GlobalAveragePool", {2, 3, 5, 7}, {}, {}),
      one("GlobalMaxPool", "GlobalMaxPool", {2, 3, 5, 7}, {}, {}),
  };
}

std::vector<Case> matrix_cases() {
  return {
      one("Gemm", "Gemm", {5, 7}, {{7, 3}, {3}}, {{"alpha", 0.5F}, {"beta", 2.0F}}),
      one("GemmTransposed", "Gemm", {7, 5}, {{3, 7}, {5, 1}},
          {whole("transA", 1), whole("transB", 1)}),
      one("GemmWithoutBias", "Gemm", {5, 7}, {{7, 3}}, {}),
      one("MatMul", "MatMul", {5, 7}, {{7, 3}}, {}),
      one("MatMulStacked", "MatMul", {2, 1, 5, 7}, {{3, 7, 4}}, {}),
      one("MatMulVector", "MatMul", {2, 5, 7}, {{7}}, {}),
      one("MatMulFromVector", "MatMul", {7}, {{2, 7, 4}}, {}),
  };
}

std::vector<Case> elementwise_cases() {
  std::vector<Case> cases;
  for (const char* op : {"Relu", "Sigmoid", "Tanh", "Exp", "Erf", "Neg", "Abs", "HardSigmoid",
                         "HardSwish", "LeakyRelu"}) {
    cases.push_back(one(op, op, {3, 4, 5}, {}, {}));
  }
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Min", "Max"}) {
    cases.push_back(one(op, op, {3, 1, 5}, {{2, 1, 4, 1}}, {}));
  }
  cases.push_back(one("Clip7", "Clip", {30}, {}, {{"min", -0.25F}, {"max", 0.5F}}, 7));
  cases.push_back(
      {"SqrtAndPow", [](ModelBuilder& builder) {
         const std::string x = builder.node("Abs", {builder.input("x", {40})});
         const std::string root = builder.node("Sqrt", {x});
         builder.output(builder.node("Pow", {x, builder.constant("e", Tensor::scalar(1.7F))}));
         builder.output(root);
       }});
  return cases;
}

std::vector<Case> normalization_cases() {
  return {
      {"BatchNormalization",
       [](ModelBuilder& builder) {
         const std::string variance = builder.constant("v", random_tensor({4}, 9, 0.1F, 2));
         builder.output(
             builder.node("BatchNormalization",
                          {builder.input("x", {2, 4, 3, 3}), builder.random_weight("s", {4}, 1, 1),
                           builder.random_weight("b", {4}, 1, 2),
                           builder.random_weight("m", {4}, 1, 3), variance}));
       }},
      one("LayerNormalization", "LayerNormalization", {2, 3, 8}, {{8}, {8}}, {}),
      one("LayerNormalizationTwoAxes", "LayerNormalization", {2, 3, 8}, {{3, 8}},
          {whole("axis", 1), {"epsilon", 1e-3F}}),
      one("Softmax", "Softmax", {2, 3, 5}, {}, {}),
      one("SoftmaxMiddle", "Softmax", {2, 3, 5}, {}, {whole("axis", 1)}),
      one("Softmax11", "Softmax", {2, 3, 5}, {}, {}, 11),
      one("ReduceMean", "ReduceMean", {2, 3, 4, 5}, {},
          {list("axes", {2, -1}), whole("keepdims", 0)}),
      one("ReduceMeanAll", "ReduceMean", {2, 3, 4}, {}, {}),
  };
}

std::vector<Case> layout_cases() {
  return {
      {"Slice",
       [](ModelBuilder& builder) {
         builder.output(builder.node(
             "Slice", {builder.input("x", {6, 7, 8}), ints(builder, "s", {-2, 1, 7}),
                       ints(builder, "e", {-100, 6, 0}), ints(builder, "a", {0, 1, -1}),
                       ints(builder, "t", {-1, 2, -3})}));
       }},
      one("Slice9", "Slice", {6, 7}, {}, {list("starts", {1, -3}), list("ends", {100, -1})}, 9),
      one("Transpose", "Transpose", {2, 3, 4, 5}, {}, {list("perm", {3, 1, 0, 2})}),
      one("Concat", "Concat", {2, 3, 4}, {{2, 1, 4}, {2, 2, 4}}, {whole("axis", -2)}),
      {"Gather",
       [](ModelBuilder& builder) {
         const std::string places =
             builder.constant("i", Tensor::of<std::int64_t>({2, 2}, {0, -1, 2, 1}));
         builder.output(
             builder.node("Gather", {builder.input("x", {2, 3, 4}), places}, {whole("axis", 1)}));
       }},
      {"PadReflect",
       [](ModelBuilder& builder) {
         builder.output(builder.node("Pad",
                                     {builder.input("x", {4, 5}), ints(builder, "p", {2, 3, 1, 4})},
                                     {text("mode", "reflect")}));
       }},
      {"PadEdge",
       [](ModelBuilder& builder) {
         builder.output(builder.node("Pad",
                                     {builder.input("x", {4, 5}), ints(builder, "p", {0, 3, 1, 4})},
                                     {text("mode", "edge")}));
       }},
      {"PadConstant",
       [](ModelBuilder& builder) {
         const std::string value = builder.constant("v", Tensor::scalar(0.25F));
         builder.output(builder.node(
             "Pad", {builder.input("x", {4, 5}), ints(builder, "p", {0, 3, -1, 4}), value}));
       }},
      one("Pad2", "Pad", {4, 5}, {}, {list("pads", {0, 3, 1, 4}), {"value", -1.0F}}, 10),
      {"SplitUneven",
       [](ModelBuilder& builder) {
         builder.add({.op_type = "Split",
                      .domain = "",
                      .name = "s",
                      .inputs = {builder.input("x", {7, 2})},
                      .outputs = {"a", "b", "c"},
                      .attributes = {whole("num_outputs", 3)},
                      .extra = ""});
         for (const char* name : {"a", "b", "c"}) builder.output(name);
       },
       18},
      {"SqueezeUnsqueezeReshapeFlatten",
       [](ModelBuilder& builder) {
         const std::string squeezed = builder.node(
             "Squeeze", {builder.input("x", {1, 3, 1, 4}), ints(builder, "a", {0, -2})});
         const std::string wider =
             builder.node("Unsqueeze", {squeezed, ints(builder, "b", {-1, 1})});
         const std::string shaped =
             builder.node("Reshape", {wider, ints(builder, "c", {2, -1, 1, 0})});
         builder.output(builder.node("Flatten", {shaped}, {whole("axis", 2)}));
       }},
      {"ShapeAndCast",
       [](ModelBuilder& builder) {
         const std::string shape =
             builder.node("Shape", {builder.input("x", {3, 4, 5})}, {whole("start", -2)});
         builder.output(builder.node("Cast", {shape}, {whole("to", 1)}));
       }},
  };
}

Case quantization_case(const std::string& name, const std::string& domain, DataType type,
                       bool per_axis) {
  const auto build = [=](ModelBuilder& builder) {
    if (!domain.empty()) builder.import_domain(domain, 1);
    const Shape parameters = per_axis ? Shape{3} : Shape{};
    const std::string scale = builder.constant("s", random_tensor(parameters, 5, 0.01F, 0.02F));
    const std::string zero =
        builder.constant("z", convert(random_tensor(parameters, 6, 0, 100), type));
    std::vector<Attribute> attributes;
    if (per_axis) attributes.push_back(whole("axis", 1));
    builder.add({.op_type = "QuantizeLinear",
                 .domain = domain,
                 .name = "q",
                 .inputs = {builder.input("x", {2, 3, 50}), scale, zero},
                 .outputs = {"quantized"},
                 .attributes = attributes,
                 .extra = ""});
    builder.add({.op_type = "DequantizeLinear",
                 .domain = domain,
                 .name = "dq",
                 .inputs = {"quantized", scale, zero},
                 .outputs = {"back"},
                 .attributes = attributes,
                 .extra = ""});
    builder.output("quantized", {2, 3, 50}, type);
    builder.output("back");
  };
  return {.name = name, .build = build, .opset = 21};
}

std::vector<Case> quantization_cases() {
  std::vector<Case> cases;
  for (const bool per_axis : {false, true}) {
    const std::string suffix = per_axis ? "PerAxis" : "";
    for (const DataType type :
         {DataType::int8, DataType::uint8, DataType::int16, DataType::uint16}) {
      cases.push_back(quantization_case("Onnx_" + to_string(type) + suffix, "", type, per_axis));
      cases.push_back(quantization_case("Microsoft_" + to_string(type) + suffix, "com.microsoft",
                                        type, per_axis));
    }
  }
  cases.push_back({"BiasInt32", [](ModelBuilder& builder) {
                     const std::string bias =
                         builder.constant("b", Tensor::of<std::int32_t>({3}, {-70000, 5, 1 << 30}));
                     const std::string scale =
                         builder.constant("s", random_tensor({3}, 5, 0.01F, 0.02F));
                     const std::string real =
                         builder.node("DequantizeLinear", {bias, scale}, {whole("axis", 0)});
                     builder.output(builder.node("Add", {builder.input("x", {3}), real}));
                   }});
  return cases;
}

void expect_near(const Tensor& actual, const Tensor& expected, const std::string& name) {
  ASSERT_EQ(actual.type(), expected.type()) << name;
  ASSERT_EQ(actual.shape(), expected.shape()) << name;
  if (!is_floating(expected.type())) {
    EXPECT_EQ(actual, expected) << name;
    return;
  }
  const Tensor a = convert(actual, DataType::float64);
  const Tensor b = convert(expected, DataType::float64);
  for (std::size_t index = 0; index < static_cast<std::size_t>(a.size()); ++index) {
    const double wanted = b.values<double>()[index];
    EXPECT_NEAR(a.values<double>()[index], wanted, 2e-6 + 1e-5 * std::fabs(wanted))
        << name << " at " << index;
  }
}

class ReferenceAgainstOrt : public ::testing::TestWithParam<Case> {};

TEST_P(ReferenceAgainstOrt, GivesTheSameOutputsUpToRounding) {
  ModelBuilder builder(GetParam().opset);
  GetParam().build(builder);
  const Model model = infer_shapes(builder.build_unchecked());  // some outputs lack a declared rank
  const Batch inputs = testing::random_inputs(model, 11);
  const Batch expected = open_session(model, {.optimize = false})->run(inputs);
  const Batch actual = open_reference_session(model)->run(inputs);
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, tensor] : expected) expect_near(actual.at(name), tensor, name);
}

std::string case_name(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Convolution, ReferenceAgainstOrt, ::testing::ValuesIn(convolution_cases()),
                         case_name);
INSTANTIATE_TEST_SUITE_P(Pooling, ReferenceAgainstOrt, ::testing::ValuesIn(pooling_cases()),
                         case_name);
INSTANTIATE_TEST_SUITE_P(Matrix, ReferenceAgainstOrt, ::testing::ValuesIn(matrix_cases()),
                         case_name);
INSTANTIATE_TEST_SUITE_P(Elementwise, ReferenceAgainstOrt, ::testing::ValuesIn(elementwise_cases()),
                         case_name);
INSTANTIATE_TEST_SUITE_P(Normalization, ReferenceAgainstOrt,
                         ::testing::ValuesIn(normalization_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Layout, ReferenceAgainstOrt, ::testing::ValuesIn(layout_cases()),
                         case_name);
INSTANTIATE_TEST_SUITE_P(Quantization, ReferenceAgainstOrt,
                         ::testing::ValuesIn(quantization_cases()), case_name);

TEST(ReferenceSession, AgreesOnAWholeNetwork) {
  for (const char* name : {"resnet8", "tinyvit"}) {
    const Model model =
        load_model(std::string(QUANTSEARCH_SOURCE_DIR "/tests/data/") + name + ".onnx");
    const Batch inputs = testing::random_inputs(model, 5);
    const Batch expected = open_session(model)->run(inputs);
    const Batch actual = open_reference_session(model)->run(inputs);
    const std::span<const float> a = actual.begin()->second.values<float>();
    const std::span<const float> b = expected.begin()->second.values<float>();
    for (std::size_t index = 0; index < b.size(); ++index)
      EXPECT_NEAR(a[index], b[index], 1e-4) << name;
  }
}

}  // namespace
}  // namespace quantsearch
