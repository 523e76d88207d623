#include "placement/cheapest_split.h"

#include <gtest/gtest.h>

#include <limits>

#include "quantsearch/base/random.h"

namespace quantsearch {
namespace {

using Split = std::vector<bool>;

/// Tries every split.
double least_cost(const SplitProblem& problem) {
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t bits = 0; bits < std::size_t{1} << problem.items.size(); ++bits) {
    Split split(problem.items.size());
    for (std::size_t item = 0; item < split.size(); ++item) split[item] = (bits >> item & 1) != 0;
    least = std::min(least, cost_of(problem, split));
  }
  return least;
}

TEST(CheapestSplit, TakesTheCheaperOfBothWhereNothingIsConverted) {
  const SplitProblem problem{.items = {{.on_float = 3, .on_integers = 2},
                                       {.on_float = 2, .on_integers = 3},
                                       {.on_float = 9, .on_integers = 1, .must_be_float = true}},
                             .values = {}};
  EXPECT_EQ(cheapest_split(problem), (Split{true, false, false}));
  EXPECT_EQ(cost_of(problem, {true, false, false}), 2 + 2 + 9);
}

/// A chain float - a - b - float. Alone neither gain pays for two conversions; together they do.
TEST(CheapestSplit, PaysForConversionsOncePerRegion) {
  SplitProblem problem{
      .items = {{.must_be_float = true},
                {.on_float = 5, .on_integers = 3},
                {.on_float = 5, .on_integers = 3}},
      .values = {{.producer = 0, .readers = {1}, .quantize = 1.5, .dequantize = 9},
                 {.producer = 1, .readers = {2}, .quantize = 9, .dequantize = 9},
                 {.producer = 2, .readers = {0}, .quantize = 9, .dequantize = 1.5}}};
  EXPECT_EQ(cheapest_split(problem), (Split{false, true, true}));
  problem.items[2].on_integers = 5;
  EXPECT_EQ(cheapest_split(problem), (Split{false, false, false}));
}

TEST(CheapestSplit, AValueIsConvertedOnceForAllItsReaders) {
  const SplitProblem problem{
      .items = {{.must_be_float = true},
                {.on_float = 2, .on_integers = 1},
                {.on_float = 2, .on_integers = 1},
                {.on_float = 2, .on_integers = 1}},
      .values = {{.producer = 0, .readers = {1, 2, 3}, .quantize = 2.5, .dequantize = 0}}};
  EXPECT_EQ(cheapest_split(problem), (Split{false, true, true, true}));
  EXPECT_EQ(cost_of(problem, {false, true, true, true}), 5.5);
}

TEST(CheapestSplit, EqualCostsStayFloat) {
  const SplitProblem problem{.items = {{.on_float = 2, .on_integers = 2}}, .values = {}};
  EXPECT_EQ(cheapest_split(problem), Split{false});
}

TEST(CheapestSplit, CostsNoMoreThanAnyOtherOnRandomGraphs) {
  RandomStream random(3);
  for (int repeat = 0; repeat < 300; ++repeat) {
    SplitProblem problem;
    const auto items = 2 + static_cast<int>(random.below(8));
    for (int item = 0; item < items; ++item) {
      problem.items.push_back({.on_float = static_cast<double>(random.below(20)),
                               .on_integers = static_cast<double>(random.below(20)),
                               .must_be_float = random.below(5) == 0});
    }
    for (int value = 0; value < items; ++value) {
      SplitProblem::Value passed{.producer = value,
                                 .readers = {},
                                 .quantize = static_cast<double>(random.below(9)),
                                 .dequantize = static_cast<double>(random.below(9))};
      for (int reader = 0; reader < items; ++reader) {
        if (random.below(3) == 0) passed.readers.push_back(reader);
      }
      problem.values.push_back(std::move(passed));
    }
    EXPECT_EQ(cost_of(problem, cheapest_split(problem)), least_cost(problem)) << repeat;
  }
}

/// Chains as long as those of large models: the walk along a path must not exhaust the stack.
TEST(CheapestSplit, TakesLongChains) {
  constexpr int kItems = 20000;
  SplitProblem problem;
  problem.items.push_back({.must_be_float = true});
  for (int item = 1; item < kItems; ++item) {
    problem.items.push_back({.on_float = 2, .on_integers = 1});
    problem.values.push_back(
        {.producer = item - 1, .readers = {item}, .quantize = 100, .dequantize = 100});
  }
  const Split split = cheapest_split(problem);
  EXPECT_EQ(std::ranges::count(split, true), kItems - 1);
}

}  // namespace
}  // namespace quantsearch
