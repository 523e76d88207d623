// Reconstruction keeps to the grids that quantize gave the weights: their limits, and scales that
// must not change.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "finetune/fixture.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::FinetuneTest;
using testing::gradient;
using testing::kGptq;
using testing::ModelBuilder;
using testing::prepare;
using testing::Prepared;
using testing::random_tensor;
using testing::small_data;

const QuantizedLayer& layer_of(const QuantizedModel& quantized, const std::string& label) {
  return *std::ranges::find(quantized.linear_layers, label, &QuantizedLayer::label);
}

std::vector<std::int64_t> codes_of(const QuantizedModel& quantized, const std::string& label) {
  return to_int64s(
      *quantized.model.graph.find_initializer(layer_of(quantized, label).stored_weight.integers));
}

const std::vector<float>& scales_of(const QuantizedModel& quantized, const std::string& weight) {
  return quantized.tensors.at(weight).scales;
}

TEST_F(FinetuneTest, AWeightWithReducedRangeKeepsItsRange) {
  TensorOverride narrow;
  narrow.reduce_range = true;
  const Prepared prepared =
      small({.target = Target::cpu_vnni, .overrides = {{"second_w", narrow}}});
  for (const FinetuneOptions& options : {kGptq, gradient(FinetuneAlgorithm::adaround, 0.1)}) {
    const FinetunedModel tuned = tune(prepared, options);
    const auto codes = codes_of(tuned.quantized, "second");
    EXPECT_NE(codes, codes_of(prepared.candidate, "second"));
    EXPECT_GE(*std::ranges::min_element(codes), -64);
    EXPECT_LE(*std::ranges::max_element(codes), 64);
    EXPECT_GT(std::ranges::max(codes_of(tuned.quantized, "first")), 64);
  }
}

TEST_F(FinetuneTest, AScaleGivenByTheUserIsKept) {
  TensorOverride given;
  given.values = {{.params = ScaleZeroPoint{.scale = 0.01F, .zero_point = 0}}};
  const Prepared prepared = small({.per_channel = true, .overrides = {{"second_w", given}}});
  const FinetunedModel tuned = tune(prepared, kGptq);
  EXPECT_NE(codes_of(tuned.quantized, "second"), codes_of(prepared.candidate, "second"));
  EXPECT_EQ(scales_of(tuned.quantized, "second_w"), (std::vector<float>{0.01F}));
  EXPECT_NE(scales_of(tuned.quantized, "first_w"), scales_of(prepared.candidate, "first_w"));
}

TEST_F(FinetuneTest, ScalesOfSixteenBitRatiosAreKept) {
  const Prepared prepared =
      small({.target = Target::cpu_vnni, .per_channel = true, .int16_scale = true});
  const FinetunedModel tuned = tune(prepared, kGptq);
  for (const char* weight : {"first_w", "second_w", "depthwise_w", "fc_w"})
    EXPECT_EQ(scales_of(tuned.quantized, weight), scales_of(prepared.candidate, weight)) << weight;
}

// A Gather and a MatMul read the same table, like the tied embeddings of language models.
TEST_F(FinetuneTest, AWeightSharedWithATableIsNotChanged) {
  ModelBuilder builder;
  builder.input("x", {-1, 64});
  const std::string table = builder.random_weight("table", {64, 64}, 0.5F, 3);
  builder.input("row", {-1}, DataType::int64);
  const std::string row = builder.node("Gather", {table, "row"});
  const std::string product = builder.node("MatMul", {"x", table}, {}, "product");
  builder.output(builder.node("Add", {product, builder.node("Exp", {row})}), {-1, 64});
  const Prepared prepared = prepare(
      builder.build(),
      in_memory_data({{"x", random_tensor({24, 64}, 5)},
                      {"row", Tensor::of<std::int64_t>({24}, std::vector<std::int64_t>(24, 7))}}),
      {.op_types = {"MatMul", "Gather"}}, pool_);
  ASSERT_EQ(prepared.candidate.linear_layers.size(), 1u);
  const FinetunedModel tuned = tune(prepared, kGptq);
  ASSERT_EQ(tuned.layers.size(), 1u);
  EXPECT_EQ(tuned.layers[0].reason, "its weights are shared with other nodes");
  EXPECT_EQ(tuned.quantized.model.graph.initializers, prepared.candidate.model.graph.initializers);
}

// A Pad that runs on integers shares the parameters of its input. The scale of the bias stays the
// product of the scales of input and weight, without which the Conv has no integer kernel.
TEST_F(FinetuneTest, TheBiasAfterAPadKeepsTheScaleOfTheProducts) {
  ModelBuilder builder;
  builder.input("x", {-1, 3, 8, 8});
  builder.constant("pads", Tensor::of<std::int64_t>({8}, {0, 0, 1, 1, 0, 0, 1, 1}));
  builder.constant("zero", Tensor::scalar<float>(0));
  const std::string padded = builder.node("Pad", {"x", "pads", "zero"});
  builder.output(builder.node("Conv",
                              {padded, builder.random_weight("w", {6, 3, 3, 3}, 0.5F, 3),
                               builder.random_weight("b", {6}, 0.1F, 4)},
                              {}, "conv"),
                 {-1, 6, 8, 8});
  const Prepared prepared = prepare(builder.build(), small_data(), {.per_channel = true}, pool_);
  ASSERT_TRUE(layer_of(prepared.candidate, "conv").bias_input_scale);
  const FinetunedModel tuned = tune(prepared, kGptq);
  ASSERT_NE(scales_of(tuned.quantized, "w"), scales_of(prepared.candidate, "w"));
  const std::vector<float>& weight_scales = scales_of(tuned.quantized, "w");
  for (std::size_t channel = 0; channel < weight_scales.size(); ++channel) {
    EXPECT_EQ(scales_of(tuned.quantized, "b")[channel],
              scales_of(tuned.quantized, "x")[0] * weight_scales[channel]);
  }
}

}  // namespace
}  // namespace quantsearch
