#include "optimizers/importance/grid_density.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace quantsearch {
namespace {

double sum_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

TEST(GridCells, AreTheValuesOfAGridUpToFifty) {
  EXPECT_EQ(grid_cells(IntRange{.low = 3, .high = 9}), 7);
  EXPECT_EQ(grid_cells(IntRange{.low = 0, .high = 1000}), 50);
  EXPECT_EQ(grid_cells(FloatRange{.low = 0, .high = 1}), 50);
  EXPECT_EQ(grid_cells(FloatRange{.low = 0, .high = 1, .step = 0.25}), 5);
  EXPECT_EQ(grid_cells(IntRange{.low = 1, .high = 1000, .log = true}), 11);  // 2^10 >= 1000
  EXPECT_EQ(grid_cells(Categories{.count = 60}), 60);
  EXPECT_EQ(grid_cells(FloatRange{.low = 2, .high = 2}), 1);
}

TEST(GridDensity, OfCategoriesEqualsItsFormulaByHand) {
  // Two of three categories occur in three values: kernels of 1 + 1/3 over a row of 1 + 3/3, and
  // the prior. Category 0: 2/4 * (4/3)/2 + 1/4 * (1/3)/2 + 1/4 * 1/3.
  const auto density = grid_density(Categories{.count = 3}, std::vector<double>{0, 1, 0});
  EXPECT_NEAR(density[0], 2 / 4.0 * 4 / 6 + 1 / 4.0 / 6 + 1 / 12.0, 1e-12);
  EXPECT_NEAR(density[1], 1 / 4.0 * 4 / 6 + 2 / 4.0 / 6 + 1 / 12.0, 1e-12);
  EXPECT_NEAR(density[2], 3 / 4.0 / 6 + 1 / 12.0, 1e-12);
}

TEST(GridDensity, OfOneValueIsANarrowKernelAndAWidePrior) {
  // The width is 0.5 / 1.64: nine tenths (erf(1.64 / sqrt 2) = 0.899) of a kernel are within its
  // own cell.
  const auto density = grid_density(IntRange{.low = 0, .high = 20}, std::vector<double>{10});
  const double prior = std::erf(0.5 / 21 / std::sqrt(2)) / std::erf(0.5 / std::sqrt(2));
  EXPECT_NEAR(density[10], (std::erf(1.64 / std::sqrt(2)) + prior) / 2, 1e-12);
  EXPECT_NEAR(sum_of(density), 1, 1e-12);
}

TEST(GridDensity, SumsToOneForEveryKindOfDimension) {
  const std::vector<double> values = {1, 1, 2, 5, 7, 8};
  EXPECT_NEAR(sum_of(grid_density(IntRange{.low = 1, .high = 100, .log = true}, values)), 1, 1e-12);
  EXPECT_NEAR(sum_of(grid_density(FloatRange{.low = 0.5, .high = 9, .log = true}, values)), 1,
              1e-12);
  EXPECT_NEAR(sum_of(grid_density(Categories{.count = 9}, values)), 1, 1e-12);
  EXPECT_NEAR(sum_of(grid_density(Categories{.count = 9, .ordered = true}, values)), 1, 1e-12);
}

}  // namespace
}  // namespace quantsearch
