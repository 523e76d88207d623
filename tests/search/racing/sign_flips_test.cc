#include "search/racing/sign_flips.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

SignFlips three_ones(std::uint64_t seed) {
  SignFlips flips(4096, seed);
  for (int i = 0; i < 3; ++i) flips.add(1);
  return flips;
}

TEST(SignFlips, TheLargestSumCrossesOnceAllEqualSumsMay) {
  // An eighth of all sums is 3 like the observed one: more than a share of a tenth allows, fewer
  // than a share of a fifth allows.
  EXPECT_FALSE(three_ones(1).look(0.1));
  EXPECT_TRUE(three_ones(1).look(0.2));
}

TEST(SignFlips, NeverCrossWithoutPositiveDifferences) {
  SignFlips flips(1024, 1);
  for (int i = 0; i < 30; ++i) {
    flips.add(i % 2 == 0 ? -1.5 : 0);
    EXPECT_FALSE(flips.look(0.49));
  }
}

TEST(SignFlips, RememberACrossing) {
  SignFlips flips = three_ones(1);
  EXPECT_TRUE(flips.look(0.2));
  flips.add(-100);
  EXPECT_TRUE(flips.look(0.2));
}

TEST(SignFlips, CrossNoMoreOftenThanTheirShareForAnyNumberOfLooks) {
  // The differences are symmetric, with a look after each of 40. The observed path is one of 1024
  // exchangeable paths, of which 102 may cross, so 199 of 2000 runs are expected to cross, with a
  // standard deviation of 13. The count below is that of these seeds.
  RandomStream random(7);
  int crossed = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SignFlips flips(1024, seed);
    for (int sample = 1; sample <= 40; ++sample) {
      flips.add(random.normal());
      if (!flips.look(0.1 * sample / 40)) continue;
      ++crossed;
      break;
    }
  }
  EXPECT_EQ(crossed, 203);
}

}  // namespace
}  // namespace quantsearch
