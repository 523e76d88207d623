#include "optimizers/qmc/halton.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace quantsearch {
namespace {

TEST(Halton, MirrorsTheDigitsOfTheIndex) {
  const Halton halton(3);
  const std::vector<std::vector<double>> points = {{0, 0, 0},
                                                   {1. / 2, 1. / 3, 1. / 5},
                                                   {1. / 4, 2. / 3, 2. / 5},
                                                   {3. / 4, 1. / 9, 3. / 5},
                                                   {1. / 8, 4. / 9, 4. / 5},
                                                   {5. / 8, 7. / 9, 1. / 25}};
  for (std::uint32_t index = 0; index < points.size(); ++index) {
    for (std::size_t dimension = 0; dimension < 3; ++dimension)
      EXPECT_NEAR(halton.at(index, dimension), points[index][dimension], 1e-15);
  }
}

TEST(Halton, FillsEveryCellOnceWhenScrambled) {
  const Halton halton(4, 17);
  const std::vector<std::uint32_t> cells = {64, 81, 125, 49};
  for (std::size_t dimension = 0; dimension < cells.size(); ++dimension) {
    std::set<double> hit;
    for (std::uint32_t index = 0; index < cells[dimension]; ++index) {
      const double value = halton.at(index, dimension);
      EXPECT_GE(value, 0);
      EXPECT_LT(value, 1);
      hit.insert(std::floor(value * cells[dimension] + 1e-9));
    }
    EXPECT_EQ(hit.size(), cells[dimension]) << dimension;
  }
}

TEST(Halton, ScramblesByItsSeed) {
  EXPECT_EQ(Halton(2, 5).at(7, 1), Halton(2, 5).at(7, 1));
  EXPECT_NE(Halton(2, 5).at(7, 1), Halton(2, 6).at(7, 1));
}

}  // namespace
}  // namespace quantsearch
