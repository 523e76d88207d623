#include <gtest/gtest.h>

#include <limits>

#include "calibrate/made_statistics.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;
using testing::normal_values;
using testing::statistics_of;

std::optional<float> mask_of(const std::vector<float>& values) {
  const Facts facts = facts_of({.samples = 1, .tensors = {{"t", statistics_of(values)}}}, Graph{});
  return facts.contains("t") ? facts.at("t").mask : std::nullopt;
}

std::vector<float> with(std::vector<float> values, std::size_t count, float value) {
  for (std::size_t at = 0; at < count; ++at) values[at * (values.size() / count)] = value;
  return values;
}

TEST(Facts, ZeroAndAStandInForMinusInfinityAreAMask) {
  for (const float stand_in : {-1e4F, -65504.0F, -1e9F, -std::numeric_limits<float>::max()})
    EXPECT_EQ(mask_of({0, 0, 0, stand_in}), stand_in);
}

TEST(Facts, ScoresWithAMaskAddedAreAMask) {
  std::vector<float> scores = normal_values(1000, 3, 5);
  for (std::size_t at = 0; at < scores.size(); at += 4) scores[at] += -1e4F;
  ASSERT_TRUE(mask_of(scores).has_value());
  EXPECT_NEAR(*mask_of(scores), -1e4F, 50);
}

TEST(Facts, OneMaskedValueAmongManyZerosIsEnough) {
  EXPECT_EQ(mask_of(with(std::vector<float>(5000, 0.0F), 1, -1e9F)), -1e9F);
}

TEST(Facts, APositiveMaskThatIsSubtractedIsAMask) { EXPECT_EQ(mask_of({0, 1e9F, 0, 1e9F}), 1e9F); }

TEST(Facts, TheLowestFloatIsAMaskWhateverTheOtherValuesAre) {
  EXPECT_TRUE(mask_of({1, -1e9F, -3e38F, 5e20F}).has_value());
}

TEST(Facts, AHeavyTailIsNoMask) {
  // The values 1 / u of u in (0, 1] form a Pareto tail up to 1e5, with ever fewer values and no gap
  // before its end.
  std::vector<float> values;
  for (int at = 1; at <= 100'000; ++at) values.push_back(1e5F / static_cast<float>(at));
  EXPECT_EQ(mask_of(values), std::nullopt);
}

TEST(Facts, AnOutlierIsNoMask) {
  EXPECT_EQ(mask_of(with(normal_values(10'000, 5), 3, 60'000)), std::nullopt);
}

TEST(Facts, MassiveActivationsBelowTheLeastMaskAreNoMask) {
  EXPECT_EQ(mask_of(with(normal_values(1000, 5), 10, 7000)), std::nullopt);
}

TEST(Facts, ColumnsOfDifferentScaleAreNoMask) {
  // The values are 2,000 to 64,000 and around 1. The first are large, but they are neither one
  // constant nor separated from the others by a gap.
  std::vector<float> values = normal_values(1000, 7);
  for (std::size_t at = 0; at < 32; ++at) values[at] = 2000.0F * static_cast<float>(at + 1);
  EXPECT_EQ(mask_of(values), std::nullopt);
}

TEST(Facts, CountsNonFiniteValuesAndReportsEmptyTensors) {
  TensorObserver bad;
  bad.add(0, Tensor::of<float>({3}, {1, NAN, -INFINITY}));
  const Facts facts = facts_of({.samples = 1,
                                .tensors = {{"bad", bad.statistics()},
                                            {"empty", TensorStatistics{}},
                                            {"good", statistics_of({1, 2})}}},
                               Graph{});
  EXPECT_EQ(facts,
            (Facts{{"bad", {.nan_count = 1, .infinite_count = 1}}, {"empty", {.is_empty = true}}}));
}

/// scores + unsqueeze(mask), then a Softmax.
Model masked_scores() {
  ModelBuilder builder;
  builder.input("scores", {2, 4});
  builder.input("mask", {4});
  const std::string axes = builder.constant("axes", Tensor::of<std::int64_t>({1}, {0}));
  const std::string wide = builder.node("Unsqueeze", {"mask", axes}, {}, "wide");
  const std::string sum = builder.node("Add", {"scores", wide}, {}, "sum");
  builder.output(builder.node("Softmax", {sum}, {}, "softmax"), {2, 4});
  return builder.build();
}

TEST(Facts, MasksAreFollowedToTheirReader) {
  // The scores are as large as the gap, so their sum alone does not look like a mask.
  const Facts facts = facts_of({.samples = 1,
                                .tensors = {{"scores", statistics_of({-3000, 200, 2000, 10})},
                                            {"mask", statistics_of({0, 0, 0, -1e4F})},
                                            {"sum_out", statistics_of({-13000, 200, 2000, 10})},
                                            {"softmax_out", statistics_of({0, 0, 1, 0})}}},
                               masked_scores().graph);
  EXPECT_EQ(facts, (Facts{{"mask", {.mask = -1e4F}},
                          {"wide_out", {.mask = -1e4F}},
                          {"sum_out", {.mask = -1e4F}}}));
}

TEST(Facts, AMaskThatIsSelectedAwayIsNotFollowed) {
  const Facts facts = facts_of({.samples = 1,
                                .tensors = {{"mask", statistics_of({0, 0, 0, -1e4F})},
                                            {"sum_out", statistics_of({-3, 2, 2, 1})}}},
                               masked_scores().graph);
  EXPECT_FALSE(facts.contains("sum_out"));
}

}  // namespace
}  // namespace quantsearch
