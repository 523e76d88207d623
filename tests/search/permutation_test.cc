#include "search/permutation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace quantsearch {
namespace {

TEST(Permutation, HoldsEachNumberOnce) {
  for (std::int64_t size = 1; size <= 300; ++size) {
    const Permutation permutation(size, 11);
    std::set<std::int64_t> seen;
    for (std::int64_t position = 0; position < size; ++position) {
      const std::int64_t number = permutation.at(position);
      EXPECT_GE(number, 0);
      EXPECT_LT(number, size);
      seen.insert(number);
    }
    EXPECT_EQ(static_cast<std::int64_t>(seen.size()), size) << size;
  }
}

TEST(Permutation, StaysInsideTheLargestDomain) {
  const std::int64_t size = std::int64_t{1} << 62;
  const Permutation permutation(size, 3);
  std::set<std::int64_t> seen;
  for (std::int64_t position = 0; position < 1000; ++position) {
    const std::int64_t number = permutation.at(position);
    EXPECT_GE(number, 0);
    EXPECT_LT(number, size);
    seen.insert(number);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(Permutation, FollowsItsSeed) {
  const auto first = [](std::uint64_t seed) {
    std::vector<std::int64_t> numbers;
    for (std::int64_t position = 0; position < 20; ++position)
      numbers.push_back(Permutation(1'000'000, seed).at(position));
    return numbers;
  };
  EXPECT_EQ(first(1), first(1));
  EXPECT_NE(first(1), first(2));
}

TEST(Permutation, PutsEachNumberFirstAboutEquallyOften) {
  constexpr int kSeeds = 6000;
  std::vector<int> first(6, 0);
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed)
    ++first[static_cast<std::size_t>(Permutation(6, seed).at(0))];
  // 1000 expected, standard deviation 29.
  for (const int count : first) EXPECT_NEAR(count, 1000, 150);
}

}  // namespace
}  // namespace quantsearch
