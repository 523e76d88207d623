#include "optimizers/qmc/sobol.h"

#include <gtest/gtest.h>

#include <set>

#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

double plain(const Sobol& sobol, std::uint32_t index, std::size_t dimension) {
  return 0x1p-32 * sobol.at(index, dimension);
}

TEST(Sobol, BeginsLikeTheSequenceOfJoeAndKuo) {
  const Sobol sobol(128);
  const std::vector<std::size_t> dimensions = {0, 1, 2, 3, 4, 5, 39};
  // Points 0 to 3 by hand from the table; 7, 777 and 1000 computed with SciPy 1.17.
  const std::vector<std::pair<std::uint32_t, std::vector<double>>> points = {
      {0, {0, 0, 0, 0, 0, 0, 0}},
      {1, {.5, .5, .5, .5, .5, .5, .5}},
      {2, {.75, .25, .25, .25, .75, .75, .25}},
      {3, {.25, .75, .75, .75, .25, .25, .75}},
      {7, {.125, .625, .375, .125, .125, .375, .125}},
      {1000,
       {225. / 1024, 99. / 1024, 531. / 1024, 693. / 1024, 287. / 1024, 929. / 1024, 491. / 1024}}};
  for (const auto& [index, coordinates] : points) {
    for (std::size_t i = 0; i < dimensions.size(); ++i)
      EXPECT_EQ(plain(sobol, index, dimensions[i]), coordinates[i]) << index << " " << i;
  }
  EXPECT_EQ(plain(sobol, 777, 64), 0.9384765625);
  EXPECT_EQ(plain(sobol, 777, 100), 0.8427734375);
  EXPECT_EQ(plain(sobol, 777, 127), 0.1181640625);
}

/// Expects that every elementary interval of 1/16 of the square contains one of 16 points.
void expect_net(const Sobol& sobol, std::uint32_t first, std::uint32_t seed) {
  for (std::uint32_t columns = 0; columns <= 4; ++columns) {
    std::set<std::pair<std::uint32_t, std::uint32_t>> boxes;
    for (std::uint32_t i = 0; i < 16; ++i) {
      const std::uint64_t x = owen_scrambled(sobol.at(first + i, 0), seed);
      const std::uint64_t y = owen_scrambled(sobol.at(first + i, 1), seed * 7 + 1);
      boxes.emplace(static_cast<std::uint32_t>((x << columns) >> 32),
                    static_cast<std::uint32_t>((y << (4 - columns)) >> 32));
    }
    EXPECT_EQ(boxes.size(), 16U) << columns << " from " << first << " seed " << seed;
  }
}

TEST(Sobol, StaysANetWhenScrambled) {
  const Sobol sobol(2);
  for (const std::uint32_t seed : {1U, 77U, 0xdeadbeefU, 0x80000001U}) {
    expect_net(sobol, 0, seed);
    expect_net(sobol, 16, seed);
    expect_net(sobol, 0x40000000U, seed);
  }
}

TEST(Sobol, FillsEveryDimensionEvenly) {
  const Sobol sobol(Sobol::kMaxDimensions);
  for (std::size_t dimension = 0; dimension < sobol.dimensions(); ++dimension) {
    std::set<std::uint32_t> cells;
    for (std::uint32_t index = 256; index < 512; ++index)
      cells.insert(owen_scrambled(sobol.at(index, dimension), 99) >> 24);
    EXPECT_EQ(cells.size(), 256U) << dimension;
  }
}

TEST(OwenScrambling, MakesNoBitDependOnLowerOnes) {
  for (std::uint32_t i = 1; i < 1000; ++i) {
    const std::uint32_t one = i * 0x9e3779b9U;
    const std::uint32_t difference = owen_scrambled(one, i) ^ owen_scrambled(one ^ (1U << 12), i);
    EXPECT_EQ(difference >> 12, 1U) << i;
  }
}

TEST(OwenScrambling, FlipsEachBitInHalfOfTheSeeds) {
  constexpr std::uint32_t kSeeds = 4096;
  for (int bit = 0; bit < 32; ++bit) {
    int flipped = 0;
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed)
      flipped += static_cast<int>(
          ((owen_scrambled(0x5a5a5a5aU, seed * 0x9e3779b9U) ^ 0x5a5a5a5aU) >> bit) & 1U);
    // The tolerance is six standard deviations of a fair coin.
    EXPECT_NEAR(flipped, kSeeds / 2, 192) << bit;
  }
}

TEST(Sobol, RefusesMoreDimensionsThanItsTable) {
  try {
    const Sobol sobol(129);
    FAIL() << "nothing was thrown";
  } catch (const Unsupported& error) {
    EXPECT_STREQ(error.what(),
                 "search: the Sobol sequence has 128 dimensions here, got a domain of 129; use "
                 "Halton's");
  }
}

}  // namespace
}  // namespace quantsearch
