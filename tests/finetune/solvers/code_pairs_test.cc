#include "finetune/solvers/code_pairs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "finetune/solvers/problems.h"

namespace quantsearch::reconstruction {
namespace {

constexpr IntegerLimits kByte = {-127, 127};
constexpr PairedInput kFull = {.partner = 1, .maximum = 255, .partner_maximum = 255};

TEST(CodePairs, LimitsDependOnTheProductOfThePartner) {
  // 32767 - 255 * 100 = 7267 = 28.5 * 255; -32768 - 25500 exceeds the range of the type.
  EXPECT_EQ(limits_beside(kFull, 100, kByte).high, 28);
  EXPECT_EQ(limits_beside(kFull, 100, kByte).low, -127);
  EXPECT_EQ(limits_beside(kFull, -100, kByte).low, -28);
  EXPECT_EQ(limits_beside(kFull, -100, kByte).high, 127);
  // The partner's input is small: 32767 - 10 * 127 = 31497 = 123.5 * 255.
  EXPECT_EQ(limits_beside({.partner = 1, .maximum = 255, .partner_maximum = 10}, 127, kByte).high,
            123);
  // There is no partner, and then the partner's input is always 0.
  EXPECT_EQ(limits_beside({}, 127, kByte).high, 127);
  EXPECT_EQ(limits_beside({.partner = 1, .maximum = 255}, 127, kByte).high, 127);
}

TEST(CodePairs, CodesMoveAccordingToTheirCost) {
  const PairCost equal = {.wanted = {.first = 100, .second = 100}};
  EXPECT_EQ(cheapest_safe_pair(equal, kFull, kByte), (CodePair{.first = 64, .second = 64}));
  PairCost dear = equal;
  dear.first_curvature = 1e6;
  EXPECT_EQ(cheapest_safe_pair(dear, kFull, kByte), (CodePair{.first = 100, .second = 28}));
  const PairCost negative = {.wanted = {.first = -100, .second = -100}};
  EXPECT_EQ(cheapest_safe_pair(negative, kFull, kByte), (CodePair{.first = -64, .second = -64}));
  const PairCost opposite = {.wanted = {.first = -120, .second = 126.6}};
  EXPECT_EQ(cheapest_safe_pair(opposite, kFull, kByte), (CodePair{.first = -120, .second = 127}));
}

TEST(CodePairs, NoSafePairIsCheaper) {
  RandomStream random(3);
  for (int trial = 0; trial < 200; ++trial) {
    const PairCost cost = {
        .wanted = {.first = 90 * random.normal(), .second = 90 * random.normal()},
        .first_curvature = std::exp(random.normal()),
        .second_curvature = std::exp(random.normal()),
        .slope = random.normal()};
    const PairedInput pair = {.partner = 1,
                              .maximum = static_cast<float>(150 + trial % 106),
                              .partner_maximum = static_cast<float>(255 - trial % 100)};
    const auto of = [&](const CodePair& codes) {
      const double first = codes.first - cost.wanted.first;
      const double second = codes.second - cost.wanted.second + cost.slope * first;
      return cost.first_curvature * first * first + cost.second_curvature * second * second;
    };
    double least = std::numeric_limits<double>::infinity();
    for (std::int32_t first = -127; first <= 127; ++first) {
      for (std::int32_t second = -127; second <= 127; ++second) {
        if (is_safe(pair, first, second))
          least = std::min(least, of({.first = first, .second = second}));
      }
    }
    const CodePair found = cheapest_safe_pair(cost, pair, kByte);
    EXPECT_TRUE(is_safe(pair, found.first, found.second));
    EXPECT_NEAR(of(found), least, 1e-9 * least) << trial;
  }
}

TEST(CodePairs, TheNearestPointOfTheStripIsOnItsEdge) {
  const RealPair inside = project_onto_strip({.first = 100, .second = 100}, kFull);
  EXPECT_NEAR(inside.first, 32767 / 510.0, 1e-9);
  EXPECT_NEAR(inside.second, 32767 / 510.0, 1e-9);
  const RealPair kept = {.first = 60.25, .second = 60.5};
  EXPECT_EQ(project_onto_strip(kept, kFull), kept);
}

TEST(CodePairs, NearestRoundingMovesOnlyUnsafePairs) {
  Problem problem = make_problem({.shape = {.groups = 2, .rows = 5, .columns = 9}, .bits = 8});
  const Solution free = round_to_nearest(problem.layer);
  add_pairs(problem.layer, 255);
  ASSERT_GT(unsafe_pairs(problem.layer, free.codes), 0);
  const Solution safe = round_to_nearest(problem.layer);
  EXPECT_EQ(unsafe_pairs(problem.layer, safe.codes), 0);
  int moved = 0;
  for (std::size_t at = 0; at < safe.codes.size(); ++at)
    moved += safe.codes[at] == free.codes[at] ? 0 : 1;
  EXPECT_LE(moved, unsafe_pairs(problem.layer, free.codes));
  add_pairs(problem.layer, 128);  // 128 * 127 * 2 fits into 16 bits
  EXPECT_EQ(round_to_nearest(problem.layer).codes, free.codes);
}

}  // namespace
}  // namespace quantsearch::reconstruction
