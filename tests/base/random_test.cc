#include "quantsearch/base/random.h"

#include <gtest/gtest.h>

#include <array>

namespace quantsearch {
namespace {

TEST(RandomStream, SameSeedSameNumbers) {
  RandomStream a(7);
  RandomStream b(7);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.next(), b.next());
}

TEST(RandomStream, StagesAndTrialsHaveStreamsOfTheirOwn) {
  EXPECT_NE(RandomStream(1, 0, "a").next(), RandomStream(1, 0, "b").next());
  EXPECT_NE(RandomStream(1, 0, "a").next(), RandomStream(1, 1, "a").next());
}

TEST(RandomStream, BelowStaysBelowAndReachesEveryValue) {
  RandomStream stream(3);
  std::array<int, 5> seen{};
  for (int i = 0; i < 1000; ++i) ++seen.at(stream.below(5));
  for (const int count : seen) EXPECT_NEAR(count, 200, 60);
  EXPECT_EQ(stream.below(1), 0U);
}

TEST(RandomStream, UniformAndNormalHaveTheirMoments) {
  RandomStream stream(11);
  double uniform_sum = 0;
  double normal_sum = 0;
  double normal_squares = 0;
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i) {
    const double uniform = stream.uniform();
    ASSERT_GE(uniform, 0.0);
    ASSERT_LT(uniform, 1.0);
    uniform_sum += uniform;
    const double normal = stream.normal();
    normal_sum += normal;
    normal_squares += normal * normal;
  }
  EXPECT_NEAR(uniform_sum / kDraws, 0.5, 0.01);
  EXPECT_NEAR(normal_sum / kDraws, 0.0, 0.03);
  EXPECT_NEAR(normal_squares / kDraws, 1.0, 0.04);
}

}  // namespace
}  // namespace quantsearch
