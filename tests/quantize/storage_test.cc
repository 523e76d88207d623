// Tests weights that the model stores as integers, tables that Gather reads, and LSTM.

#include <gtest/gtest.h>

#include <cmath>

#include "quantize/fixture.h"

namespace quantsearch {
namespace {

using testing::build_with_output;
using testing::count_of;
using testing::fused_operators;
using testing::ModelBuilder;
using testing::quantized;
using testing::reason_of;
using testing::steps_apart;

Attribute integer(const std::string& name, std::int64_t value) {
  return {.name = name, .value = value};
}

Tensor integers(const Shape& shape, int modulus) {
  std::vector<std::int8_t> values(static_cast<std::size_t>(element_count(shape)));
  for (std::size_t at = 0; at < values.size(); ++at)
    values[at] = static_cast<std::int8_t>(static_cast<int>(at * 37) % (2 * modulus + 1) - modulus);
  return Tensor::of<std::int8_t>(shape, values);
}

/// A MatMul of x [2, 8] with integers [8, 4] that have one scale per column, with a bias.
Model stored_matmul(int modulus) {
  ModelBuilder builder;
  builder.input("x", {2, 8});
  builder.constant("q", integers({8, 4}, modulus));
  builder.weight("s", {4}, {0.01F, 0.02F, 0.03F, 0.04F});
  const std::string weight = builder.node("DequantizeLinear", {"q", "s"}, {integer("axis", 1)});
  const std::string product = builder.node("MatMul", {"x", weight}, {}, "product");
  return build_with_output(builder,
                           builder.node("Add", {product, builder.weight("b", {4}, {1, 2, 3, 4})}));
}

/// The integers that the DequantizeLinear before the MatMul reads, with their zero point.
QuantizedTensor weight_of(const Model& model) {
  const GraphIndex index(model.graph);
  for (const Node& node : model.graph.nodes) {
    if (!node.is("MatMul")) continue;
    const auto producer = index.producer(node.inputs[1]);
    if (!producer) break;
    const Node& dequantize = model.graph.nodes[static_cast<std::size_t>(*producer)];
    return {.integers = *index.initializer(dequantize.inputs[0]),
            .params = {.type = DataType::undefined,
                       .scales = {},
                       .zero_points = dequantize.input(2).empty()
                                          ? std::vector<std::int64_t>{}
                                          : to_int64s(*index.initializer(dequantize.inputs[2]))}};
  }
  return {};
}

TEST(StoredWeights, KeepTheirIntegersAndRunOnIntegers) {
  const Model model = stored_matmul(60);
  const QuantizedModel result = quantized(model);
  EXPECT_EQ(weight_of(result.model).integers, *model.graph.find_initializer("q"));
  EXPECT_EQ(count_of(result.model, "DequantizeLinear"), 4);  // x, weight, bias, output
  EXPECT_TRUE(testing::is_quantized(result.layers, "product"));
  EXPECT_EQ(fused_operators(result.model).count("MatMul"), 0U);
  EXPECT_LE(steps_apart(result), 1);
}

TEST(StoredWeights, BecomeUnsignedWhenTheirPairsWouldSaturate) {
  const Model model = stored_matmul(127);
  const QuantizedTensor safe = weight_of(quantized(model).model);
  ASSERT_EQ(safe.integers.type(), DataType::uint8);
  EXPECT_EQ(safe.params.zero_points, std::vector<std::int64_t>(4, 128));
  const auto before = model.graph.find_initializer("q")->values<std::int8_t>();
  const auto after = safe.integers.values<std::uint8_t>();
  for (std::size_t at = 0; at < before.size(); ++at) EXPECT_EQ(after[at] - 128, before[at]);
  const QuantizedTensor same = weight_of(quantized(model, {.target = Target::cpu_vnni}).model);
  EXPECT_EQ(same.integers, *model.graph.find_initializer("q"));
}

TEST(StoredWeights, AreQuantizedAgainWhenNoKernelAcceptsTheirScales) {
  ModelBuilder builder;
  builder.input("x", {2, 8});
  builder.constant("q", integers({8, 4}, 60));
  builder.weight("s", {8}, {0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F, 0.7F, 0.8F});
  const std::string weight = builder.node("DequantizeLinear", {"q", "s"}, {integer("axis", 0)});
  const Model model = build_with_output(builder, builder.node("MatMul", {"x", weight}));
  const QuantizedModel result = quantized(model, {.per_channel = true});
  const QuantizedTensor made = weight_of(result.model);
  EXPECT_NE(made.integers, *model.graph.find_initializer("q"));
  EXPECT_EQ(made.params.zero_points.size(), 4U);
  EXPECT_EQ(model.graph.nodes.size() + 4, result.model.graph.nodes.size());  // two pairs
}

TEST(StoredWeights, StayUnchangedWhenTheirLayerStaysFloat) {
  const Model model = stored_matmul(60);
  const QuantizedModel result = quantized(model, {.op_types = {"Add"}});
  EXPECT_EQ(weight_of(result.model).integers, *model.graph.find_initializer("q"));
  EXPECT_FALSE(testing::is_quantized(result.layers, "product"));
}

/// ids -> Gather(table [64, 32]) -> MatMul.
struct TableModel {
  ModelBuilder builder;
  std::string rows;

  explicit TableModel(const Shape& table = {64, 32}, std::int64_t axis = 0) {
    builder.input("ids", {2, 3}, DataType::int64);
    builder.random_weight("table", table, 1, 5);
    rows = builder.node("Gather", {"table", "ids"}, {integer("axis", axis)}, "gather");
  }
  Model with_matmul() {
    const std::string product =
        builder.node("MatMul", {rows, builder.random_weight("w", {32, 4}, 1, 6)}, {}, "product");
    return build_with_output(builder, product);
  }
};

double largest_error(const Model& before, const Model& after) {
  const Batch inputs = {{"ids", Tensor::of<std::int64_t>({2, 3}, {0, 5, 63, 7, 7, 1})}};
  const auto expected = open_session(before)->run(inputs);
  const auto got = open_session(after)->run(inputs);
  double worst = 0;
  for (const auto& [name, tensor] : expected) {
    const auto one = tensor.values<float>();
    const auto other = got.at(name).values<float>();
    EXPECT_EQ(tensor.shape(), got.at(name).shape());
    for (std::size_t at = 0; at < one.size(); ++at)
      worst = std::max(worst, static_cast<double>(std::abs(one[at] - other[at])));
  }
  return worst;
}

const Tensor* initializer_of_type(const Model& model, DataType type, const Shape& shape) {
  for (const Initializer& initializer : model.graph.initializers) {
    if (initializer.tensor->type() == type && initializer.tensor->shape() == shape)
      return initializer.tensor.get();
  }
  return nullptr;
}

TEST(Tables, AreIntegersThatAreDequantizedAfterTheGather) {
  TableModel small;
  const Model model = build_with_output(small.builder, small.rows);
  const QuantizedModel result = quantized(model);
  ASSERT_EQ(result.model.graph.nodes.size(), 2U);
  EXPECT_EQ(result.model.graph.nodes[0].op_type, "Gather");
  EXPECT_EQ(result.model.graph.nodes[1].op_type, "DequantizeLinear");
  EXPECT_NE(initializer_of_type(result.model, DataType::int8, {64, 32}), nullptr);
  EXPECT_EQ(initializer_of_type(result.model, DataType::float32, {64, 32}), nullptr);
  EXPECT_TRUE(testing::is_quantized(result.layers, "gather"));
  EXPECT_LE(largest_error(model, result.model), 1.0 / 254 * 1.001);
}

TEST(Tables, HaveAScalePerRowUnderPerRow) {
  ModelBuilder builder;
  builder.input("ids", {2, 3}, DataType::int64);
  std::vector<float> values(64 * 32);
  for (std::size_t at = 0; at < values.size(); ++at)
    values[at] = std::sin(static_cast<float>(at)) * std::pow(1.1F, static_cast<float>(at / 32));
  builder.weight("table", {64, 32}, values);
  const Model model = build_with_output(builder, builder.node("Gather", {"table", "ids"}));
  const QuantizedModel plain = quantized(model);
  const QuantizedModel result = quantized(model, {.table_weights = TableWeights::per_row});
  EXPECT_EQ(count_of(result.model, "Gather"), 2);
  EXPECT_EQ(result.tensors.at("table").scales.size(), 64U);
  EXPECT_EQ(result.tensors.at("table").axis, 0);
  const auto row_zero = Batch{{"ids", Tensor::of<std::int64_t>({2, 3}, {0, 0, 0, 0, 0, 0})}};
  const auto error = [&](const Model& made) {
    const auto expected = open_session(model)->run(row_zero).begin()->second;
    const auto got = open_session(made)->run(row_zero).begin()->second;
    double sum = 0;
    for (std::size_t at = 0; at < 32; ++at)
      sum += std::abs(expected.values<float>()[at] - got.values<float>()[at]);
    return sum / 32;
  };
  EXPECT_LE(error(result.model), 0.004);
  EXPECT_GE(error(plain.model), 0.1);
}

TEST(Tables, KeepTheirValuesWithOtherAxesAndTypes) {
  for (const TableWeights form : {TableWeights::per_tensor, TableWeights::per_row}) {
    for (const DataType type : {DataType::int8, DataType::uint8, DataType::int16}) {
      TableModel small({4, 64, 8}, 1);
      const Model model = build_with_output(small.builder, small.rows);
      const QuantizedModel result = quantized(model, {.weight_type = type, .table_weights = form});
      EXPECT_LE(largest_error(model, result.model), 1.0 / 254) << to_string(type);
    }
  }
}

TEST(Tables, AreStoredOnceForAllReaders) {
  TableModel tied;
  const std::string more = tied.builder.node("Gather", {"table", "ids"}, {}, "more");
  const std::string sum = tied.builder.node("Add", {tied.rows, more}, {}, "sum");
  const std::string product =
      tied.builder.node("MatMul", {tied.builder.input("x", {2, 64}), "table"}, {}, "product");
  tied.builder.output(product, {2, 32});
  const Model model = build_with_output(tied.builder, sum);
  for (const bool per_channel : {false, true}) {
    const QuantizedModel result = quantized(model, {.per_channel = per_channel});
    int stored = 0;
    for (const Initializer& initializer : result.model.graph.initializers)
      stored += initializer.tensor->shape() == Shape{64, 32} ? 1 : 0;
    EXPECT_EQ(stored, 1);
    EXPECT_NE(initializer_of_type(result.model, DataType::int8, {64, 32}), nullptr);
    EXPECT_LE(steps_apart(result), 1);
  }
}

TEST(Tables, CanFeedATensorWithAPair) {
  TableModel small;
  const QuantizedModel result = quantized(small.with_matmul());
  EXPECT_EQ(count_of(result.model, "QuantizeLinear"), 2);  // input and output of the MatMul
  EXPECT_LE(steps_apart(result), 1);
}

TEST(Tables, StayFloatWhenTooSmallExcludedOrConfigured) {
  TableModel tiny({8, 32});
  EXPECT_EQ(reason_of(quantized(tiny.with_matmul()).layers, "gather"),
            "the table that it reads has 1024 bytes, and integers are used from 4096 bytes on");
  TableModel excluded;
  EXPECT_EQ(
      reason_of(quantized(excluded.with_matmul(), {.exclude_nodes = {"gather"}}).layers, "gather"),
      "excluded by name");
  TableModel asked;
  EXPECT_EQ(
      reason_of(quantized(asked.with_matmul(), {.table_weights = TableWeights::keep_float}).layers,
                "gather"),
      "the table that it reads stays float (TableWeights)");
}

TEST(Tables, KeepTheIntegersThatTheModelStores) {
  ModelBuilder builder;
  builder.input("ids", {2, 3}, DataType::int64);
  builder.constant("q", integers({64, 32}, 100));
  std::vector<float> scales(64);
  for (std::size_t row = 0; row < 64; ++row) scales[row] = 0.01F * static_cast<float>(row + 1);
  builder.weight("s", {64}, scales);
  const std::string table = builder.node("DequantizeLinear", {"q", "s"}, {integer("axis", 0)});
  const Model model = build_with_output(builder, builder.node("Gather", {table, "ids"}));
  const QuantizedModel result = quantized(model);
  EXPECT_NE(initializer_of_type(result.model, DataType::int8, {64, 32}), nullptr);
  EXPECT_EQ(count_of(result.model, "DequantizeLinear"), 0);  // each row has its own scale
  EXPECT_LE(largest_error(model, result.model), 1e-6);
}

Model recurrent(const std::string& op_type, std::int64_t gates) {
  ModelBuilder builder;
  builder.input("x", {5, 1, 16});
  builder.random_weight("w", {1, gates * 24, 16}, 0.5F, 1);
  builder.random_weight("r", {1, gates * 24, 24}, 0.5F, 2);
  builder.random_weight("b", {1, 2 * gates * 24}, 0.5F, 3);
  const std::string states =
      builder.node(op_type, {"x", "w", "r", "b"}, {integer("hidden_size", 24)}, "recurrent");
  const std::string product =
      builder.node("MatMul", {states, builder.random_weight("v", {24, 4}, 1, 4)}, {}, "product");
  return build_with_output(builder, product);
}

TEST(RecurrentWeights, AreUint8ForADynamicLstm) {
  const Model model = recurrent("LSTM", 4);
  const QuantizeOptions only = {.recurrent_weights = RecurrentWeights::dynamic,
                                .op_types = {"Relu"}};
  const QuantizedModel result = quantized(model, only);
  EXPECT_EQ(count_of(result.model, "DynamicQuantizeLSTM"), 1);
  EXPECT_EQ(count_of(result.model, "LSTM"), 0);
  EXPECT_NE(initializer_of_type(result.model, DataType::uint8, {1, 16, 96}), nullptr);
  EXPECT_NE(initializer_of_type(result.model, DataType::uint8, {1, 24, 96}), nullptr);
  EXPECT_EQ(initializer_of_type(result.model, DataType::float32, {1, 96, 24}), nullptr);
  EXPECT_TRUE(testing::is_quantized(result.layers, "recurrent"));
  const Batch inputs = testing::random_inputs(model, 11);
  const Tensor expected = open_session(model)->run(inputs).begin()->second;
  const Tensor got = open_session(result.model)->run(inputs).begin()->second;
  double noise = 0;
  double power = 0;
  for (std::size_t at = 0; at < expected.values<float>().size(); ++at) {
    noise += std::pow(expected.values<float>()[at] - got.values<float>()[at], 2);
    power += std::pow(expected.values<float>()[at], 2);
  }
  EXPECT_LE(noise / power, 2e-4);
}

TEST(RecurrentWeights, StayFloatByDefaultWithAReason) {
  EXPECT_EQ(reason_of(quantized(recurrent("LSTM", 4)).layers, "recurrent"),
            "its weights stay float unless RecurrentWeights is 'dynamic'");
  const QuantizeOptions dynamic = {.recurrent_weights = RecurrentWeights::dynamic};
  EXPECT_EQ(reason_of(quantized(recurrent("GRU", 3), dynamic).layers, "recurrent"),
            "ONNX Runtime has no GRU with quantized weights");
  QuantizeOptions excluded = dynamic;
  excluded.exclude_nodes = {"recurrent"};
  EXPECT_EQ(reason_of(quantized(recurrent("LSTM", 4), excluded).layers, "recurrent"),
            "excluded by name");
}

}  // namespace
}  // namespace quantsearch
