// Tests the reconstruction of layers with types of their own.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>

#include "finetune/fixture.h"
#include "finetune/layers.h"
#include "finetune/write_back.h"
#include "quantsearch/transform.h"

namespace quantsearch {
namespace {

using testing::FinetuneTest;
using testing::gradient;
using testing::kGptq;
using testing::Prepared;
using testing::small_data;
using testing::small_network;

Prepared mixed_formats(ThreadPool& pool) {
  Prepared made{
      .reference = simplify(small_network(), {}).model, .data = small_data(), .candidate = {}};
  const Statistics statistics =
      observe(made.reference, *made.data, pool, {.tensors = tensors_to_observe(made.reference)});
  CalibrationResult calibration{.ranges = {}, .extremes = extremes_of(statistics)};
  for (const DataType type : {DataType::uint8, DataType::uint16})
    calibration.ranges[type] = choose_ranges(statistics, {.type = type}, pool);
  const NodeFormat wide_weights{.weight = DataType::int16};
  const NodeFormat wide{.activation = DataType::uint16, .weight = DataType::int16};
  const NodeFormat in_float{.keep_float = true};
  made.candidate = quantize(made.reference, calibration,
                            {.node_formats = {{"first", wide_weights},
                                              {"join", {.activation = DataType::uint16}},
                                              {"depthwise", wide},
                                              {"classifier", in_float}}},
                            pool);
  return made;
}

DataType weight_type_of(const QuantizedModel& quantized, const std::string& weight) {
  return quantized.tensors.at(weight).type;
}

TEST_F(FinetuneTest, LayersOfMixedFormatsKeepTheirOwnGrids) {
  const Prepared prepared = mixed_formats(pool_);
  for (const FinetuneOptions& options : {kGptq, gradient(FinetuneAlgorithm::adaround, 0.1)}) {
    const FinetunedModel tuned = tune(prepared, options);
    check_model(tuned.quantized.model);
    EXPECT_EQ(weight_type_of(tuned.quantized, "first_w"), DataType::int16);
    EXPECT_EQ(weight_type_of(tuned.quantized, "second_w"), DataType::int8);
    EXPECT_EQ(weight_type_of(tuned.quantized, "depthwise_w"), DataType::int16);
    ASSERT_EQ(tuned.layers.size(), 4u);
    EXPECT_EQ(tuned.layers.back().node, "classifier");
    EXPECT_EQ(tuned.layers.back().reason, "its weights are not quantized");
    for (const LayerReconstruction& layer : tuned.layers) {
      EXPECT_LE(layer.error_after, layer.error_before) << layer.node;
      if (layer.node == "second") {  // the one with 8-bit weights
        EXPECT_LT(layer.error_after, 0.95 * layer.error_before);
      }
    }
    for (const auto& layer :
         reconstruction::find_layers(tuned.quantized, prepared.reference, {"Conv"}).layers) {
      const auto codes = reconstruction::stored_solution(layer, tuned.quantized.model).codes;
      const int largest = std::abs(
          *std::ranges::max_element(codes, {}, [](std::int32_t code) { return std::abs(code); }));
      // Scales may move by a quarter, so 16 bits are used in any case.
      if (layer.stored.label == "second") {
        EXPECT_LE(largest, 127);
      } else {
        EXPECT_GT(largest, 20'000);
      }
    }
  }
}

// The join reads both Convs before it with 16 bits. The second Conv also reads the first one's
// output with 8 bits, and of several types the widest is used.
TEST_F(FinetuneTest, OutputQdqRoundsToTheWidestTypeOfTheReaders) {
  const Prepared prepared = mixed_formats(pool_);
  std::map<std::string, std::int64_t> highest;
  for (const auto& layer :
       reconstruction::find_layers(prepared.candidate, prepared.reference, {"Conv"}).layers) {
    if (layer.output) highest[layer.stored.label] = layer.output->limits.high;
  }
  EXPECT_EQ(highest, (std::map<std::string, std::int64_t>{
                         {"first", 65535}, {"second", 65535}, {"depthwise", 255}}));
}

}  // namespace
}  // namespace quantsearch
