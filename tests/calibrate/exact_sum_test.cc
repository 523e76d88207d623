#include "calibrate/exact_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "quantsearch/base/random.h"

namespace quantsearch {
namespace {

double sum_of(const std::vector<double>& values) {
  ExactSums sums(1);
  for (const double value : values) sums.add(0, value);
  return sums.value(0);
}

TEST(ExactSums, WithoutValuesAreZero) { EXPECT_EQ(ExactSums(1).value(0), 0); }

TEST(ExactSums, KeepDigitsThatDoublesLose) {
  EXPECT_EQ(sum_of({1e100, 1, -1e100}), 1);
  EXPECT_EQ(sum_of({-1e100, 5e-324, 1e100}), 5e-324);
  EXPECT_EQ(sum_of({-1, -0.5, 0.25}), -1.25);
  EXPECT_EQ(sum_of({-3}), -3);
}

TEST(ExactSums, DoNotDependOnTheOrder) {
  RandomStream random(11);
  std::vector<double> values;
  for (int count = 0; count < 300; ++count) {
    values.push_back(std::ldexp(random.normal(), static_cast<int>(random.below(400)) - 200));
  }
  const double sum = sum_of(values);
  for (int shuffle = 0; shuffle < 20; ++shuffle) {
    for (std::size_t at = values.size(); at-- > 1;)
      std::swap(values[at], values[random.below(at + 1)]);
    EXPECT_EQ(sum_of(values), sum);
  }
}

TEST(ExactSums, MergeToTheSameBitsInAnyGrouping) {
  ExactSums all(2), left(2), right(2);
  RandomStream random(3);
  for (int count = 0; count < 100; ++count) {
    const double value = random.normal() * std::ldexp(1.0, static_cast<int>(random.below(100)));
    const std::size_t index = random.below(2);
    all.add(index, value);
    (count % 3 == 0 ? left : right).add(index, value);
  }
  left.merge(right);
  left.merge(ExactSums(2));
  EXPECT_EQ(left.value(0), all.value(0));
  EXPECT_EQ(left.value(1), all.value(1));
}

}  // namespace
}  // namespace quantsearch
