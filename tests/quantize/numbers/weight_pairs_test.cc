#include "quantize/numbers/weight_pairs.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

Node node_of(const std::string& op_type) {
  Node node;
  node.op_type = op_type;
  return node;
}

Node conv(std::int64_t groups = 1) {
  Node node = node_of("Conv");
  node.set_attribute("group", groups);
  return node;
}

PairLimits all(std::size_t count, std::int32_t maximum) {
  return {.input_maxima = std::vector<std::int32_t>(count, maximum)};
}

std::vector<std::pair<int, int>> positions(const std::vector<WeightPair>& pairs) {
  std::vector<std::pair<int, int>> found;
  for (const WeightPair& pair : pairs) found.emplace_back(pair.first, pair.second);
  return found;
}

// With three channels and a 2 x 2 kernel positions are 4 c + k, and c is the inner loop.
TEST(WeightPairs, TheInnerLoopOfAConvRunsOverChannels) {
  const auto pairs = weight_pairs(conv(), {1, 3, 2, 2}, all(3, 255));
  ASSERT_EQ(pairs.size(), 1U);
  EXPECT_EQ(positions(pairs[0]),
            (std::vector<std::pair<int, int>>{{0, 4}, {8, 1}, {5, 9}, {2, 6}, {10, 3}, {7, 11}}));
}

TEST(WeightPairs, TheLastElementOfAnOddReductionHasNoPartner) {
  EXPECT_EQ(positions(weight_pairs(node_of("MatMul"), {5, 2}, all(5, 255))[0]),
            (std::vector<std::pair<int, int>>{{0, 1}, {2, 3}}));
}

TEST(WeightPairs, EachGroupOfAConvReadsItsOwnChannels) {
  const auto pairs = weight_pairs(conv(2), {2, 2, 1, 1}, {.input_maxima = {1, 2, 3, 4}});
  ASSERT_EQ(pairs.size(), 2U);
  EXPECT_EQ(pairs[0], (std::vector<WeightPair>{
                          {.first = 0, .second = 1, .first_maximum = 1, .second_maximum = 2}}));
  EXPECT_EQ(pairs[1], (std::vector<WeightPair>{
                          {.first = 0, .second = 1, .first_maximum = 3, .second_maximum = 4}}));
}

TEST(WeightPairs, APairIsSafeWhenItsLargestSumFitsIn16Bits) {
  const WeightPair full{.first = 0, .second = 1, .first_maximum = 255, .second_maximum = 255};
  EXPECT_TRUE(full.is_safe(64, 64));     // 32640
  EXPECT_FALSE(full.is_safe(64, 65));    // 32895
  EXPECT_TRUE(full.is_safe(-64, -64));   // -32640
  EXPECT_FALSE(full.is_safe(-64, -65));  // -32895
  EXPECT_TRUE(full.is_safe(127, -128));  // different signs
  const WeightPair narrow{.first = 0, .second = 1, .first_maximum = 255, .second_maximum = 3};
  EXPECT_TRUE(narrow.is_safe(127, 127));  // 32766
}

TEST(WeightPairs, DepthwiseConvolutionsHaveNone) {
  EXPECT_FALSE(adds_pairs(conv(4), {4, 1, 3, 3}));
  EXPECT_TRUE(adds_pairs(conv(4), {8, 1, 3, 3}));
  EXPECT_TRUE(adds_pairs(conv(1), {4, 1, 3, 3}));
  EXPECT_TRUE(adds_pairs(node_of("Gemm"), {4, 4}));
  EXPECT_FALSE(adds_pairs(node_of("ConvTranspose"), {4, 4, 2, 2}));
}

}  // namespace
}  // namespace quantsearch
