// Pairs of weights that quantization made safe must be safe after the reconstruction of a model.

#include <gtest/gtest.h>

#include "finetune/fixture.h"
#include "finetune/layers.h"
#include "finetune/write_back.h"

namespace quantsearch {
namespace {

using testing::FinetuneTest;
using testing::gradient;
using testing::kGptq;
using testing::Prepared;

/// Number of pairs of stored weights with which a kernel without VNNI could saturate.
int unsafe_pairs(const QuantizedModel& quantized, const Model& reference) {
  int count = 0;
  for (const auto& layer :
       reconstruction::find_layers(quantized, reference, {"Conv", "Gemm"}).layers) {
    const std::vector<std::int32_t> codes =
        reconstruction::stored_solution(layer, quantized.model).codes;
    const reconstruction::LayerShape& shape = layer.geometry.shape;
    for (std::int64_t output = 0; output < shape.outputs() && !layer.pairs.empty(); ++output) {
      const auto code = [&](std::int32_t at) {
        return codes[static_cast<std::size_t>(output * shape.columns + at)];
      };
      for (const WeightPair& pair : layer.pairs[static_cast<std::size_t>(output / shape.rows)])
        count += pair.is_safe(code(pair.first), code(pair.second)) ? 0 : 1;
    }
  }
  return count;
}

TEST_F(FinetuneTest, PairsThatQuantizeMadeSafeStaySafe) {
  for (const bool per_channel : {false, true}) {
    for (const bool symmetric : {false, true}) {
      const Prepared prepared = small({.weight_symmetric = symmetric, .per_channel = per_channel});
      const std::vector<QuantizedLayer>& layers = prepared.candidate.linear_layers;
      ASSERT_EQ(layers.size(), 4u);
      ASSERT_TRUE(layers[1].pair_limits);
      ASSERT_FALSE(layers[2].pair_limits);  // depthwise
      FinetuneOptions adaround = gradient(FinetuneAlgorithm::adaround, 0.1);
      adaround.objective = FinetuneObjective::second_moment;
      const FinetuneOptions adaquant = gradient(FinetuneAlgorithm::adaquant, 1e-3);
      for (const FinetuneOptions& options : {kGptq, adaround, adaquant}) {
        const FinetunedModel tuned = tune(prepared, options);
        EXPECT_NE(tuned.quantized.model.graph.initializers,
                  prepared.candidate.model.graph.initializers);
        EXPECT_EQ(unsafe_pairs(tuned.quantized, prepared.reference), 0)
            << to_string(options.algorithm) << " per channel " << per_channel << " symmetric "
            << symmetric;
      }
    }
  }
}

}  // namespace
}  // namespace quantsearch
