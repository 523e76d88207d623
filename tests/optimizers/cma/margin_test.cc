#include "optimizers/cma/margin.h"

#include <gtest/gtest.h>

#include "optimizers/cma/expect_near.h"
#include "optimizers/cma/golden.h"
#include "optimizers/cma/normal.h"
#include "optimizers/cma/run.h"

namespace quantsearch {
namespace {

CmaGrid grid_of(std::int64_t values) {
  return CmaGrid(Axis(IntRange{.low = 0, .high = values - 1}));
}

TEST(CmaGrid, PutsBordersHalfwayAndValuesInTheMiddle) {
  const CmaGrid grid(Axis(IntRange{.low = 10, .high = 18, .step = 2}));
  EXPECT_EQ(grid.count(), 5);
  EXPECT_NEAR(grid.value(0), 0.1, 1e-12);
  EXPECT_NEAR(grid.border(1), 0.2, 1e-12);
  EXPECT_EQ(grid.cell(0.19), 0);
  EXPECT_EQ(grid.cell(0.21), 1);
  EXPECT_EQ(grid.cell(-3), 0);
  EXPECT_EQ(grid.cell(7), 4);
  EXPECT_NEAR(grid.nearest(0.75), 0.7, 1e-12);
}

TEST(CmaGrid, HasNarrowerCellsForLargerValuesOnALogarithmicScale) {
  const CmaGrid grid(Axis(IntRange{.low = 1, .high = 8, .log = true}));
  // ln(0.5) to ln(8.5) is the unit
  EXPECT_NEAR(grid.value(0), std::log(2) / std::log(17), 1e-12);
  EXPECT_NEAR(grid.border(1), std::log(3) / std::log(17), 1e-12);
  EXPECT_LT(grid.border(7) - grid.border(6), grid.border(2) - grid.border(1));
}

TEST(Normal, HasAccurateQuantiles) {
  // The values were computed with scipy 1.16.
  EXPECT_NEAR(normal_quantile(1e-8), -5.612001244174789, 1e-12);
  EXPECT_NEAR(normal_quantile(0.01), -2.3263478740408408, 1e-13);
  EXPECT_NEAR(normal_quantile(0.3), -0.5244005127080409, 1e-14);
  EXPECT_NEAR(normal_quantile(0.99), 2.3263478740408408, 1e-12);
  EXPECT_EQ(normal_quantile(0.5), 0);
  EXPECT_NEAR(normal_probability(-1.5), 0.06680720126885807, 1e-16);
}

TEST(CmaMargin, KeepsNarrowDistributionsAbleToChangeLikeTheReference) {
  // The values were computed with cmaes 0.13.1 (CatCMAwM). The points are near the mean, so that no
  // value changes in generation 0, all change in generation 1, and none after it.
  const Eigen::Vector3d first(0.47, 0.07, 0.93);
  CmaDistribution distribution{
      .gaussian = CmaGaussian(first, 0.02, Eigen::MatrixXd::Identity(3, 3)),
      .margin = CmaMargin({grid_of(5), grid_of(5), grid_of(5)}, share_of(3)),
      .categories = CmaCategories({}, share_of(3))};
  const std::vector<std::vector<double>> means = {
      {0.5, 0.1, 0.9},
      {0.5303130175955199, 0.09492630856267871, 0.8749300069616139},
      {0.5306274633537597, 0.09184994523426401, 0.8758456188621925},
      {0.5230507596276812, 0.09170306519695867, 0.8761458215001067}};
  const std::vector<std::vector<double>> stretches = {
      {3.2555009533015253, 4.487885680197055, 4.311190834468858},
      {3.2555009533015484, 4.487885680197055, 4.311190834468858},
      {3.255500953301541, 4.487885680197055, 4.311190834468858},
      {3.3800587511627005, 4.487885680197055, 4.311190834468858}};
  for (int g = 0; g < 4; ++g) {
    std::vector<CmaMember> members;
    for (Eigen::Index k = 0; k < 6; ++k) {
      Eigen::VectorXd at = distribution.gaussian.mean;
      for (Eigen::Index i = 0; i < 3; ++i)
        at[i] += (g == 1 ? 0.12 : 0.03) / 0.35 * (golden_position(i, k, g) - 0.5);
      members.push_back({.draw = {.positions = at, .categories = {}}, .score = {}});
    }
    distribution.update(cma_strategy(3, 6), members);
    expect_near(distribution.gaussian.mean, means[static_cast<std::size_t>(g)], 1e-9);
    expect_near(distribution.gaussian.stretch, stretches[static_cast<std::size_t>(g)], 1e-7);
  }
  EXPECT_NEAR(distribution.gaussian.sigma, 0.023508727909268824, 1e-10);
}

TEST(CmaMargin, LeavesTheValueOfTheMeanWithAtLeastTheMarginForAnyMean) {
  for (const double mean : {-0.4, 0.0, 0.1, 0.2, 0.21, 0.5, 0.6, 0.8, 0.99, 1.5}) {
    for (const double sigma : {1e-9, 1e-3, 0.1, 10.0}) {
      CmaGaussian gaussian(Eigen::VectorXd::Constant(1, mean), sigma,
                           Eigen::MatrixXd::Identity(1, 1));
      const CmaGrid grid = grid_of(5);
      CmaMargin margin({grid}, 0.1);
      margin.correct(gaussian);
      ASSERT_TRUE(gaussian.mean.allFinite() && gaussian.stretch.allFinite());
      const std::int64_t cell = grid.cell(gaussian.mean[0]);
      const double deviation = gaussian.deviation(0) * gaussian.stretch[0];
      double leaves = 0;
      if (cell > 0)
        leaves += normal_probability((grid.border(cell) - gaussian.mean[0]) / deviation);
      if (cell < 4)
        leaves += normal_probability((gaussian.mean[0] - grid.border(cell + 1)) / deviation);
      EXPECT_GE(leaves, 0.1 - 1e-6) << mean << " " << sigma;
    }
  }
}

TEST(CmaMargin, CentersMutatedParentsAndBalancesTheOthers) {
  // The cells are 0.2 wide, and that of the mean is [0.4, 0.6). One of two parents is in the next
  // cell at 0.62 and moves to its middle, 0.7; the other at 0.58 moves towards 0.5 by the same
  // distance.
  const CmaGaussian gaussian(Eigen::VectorXd::Constant(1, 0.45), 0.1,
                             Eigen::MatrixXd::Identity(1, 1));
  CmaMargin margin({grid_of(5)}, 0.1);
  Eigen::MatrixXd points(1, 4);
  points << 0.62, 0.58, 0.95, 0.41;
  margin.center(gaussian, cma_strategy(1, 4), points);
  expect_near(points.transpose(), {0.7, 0.5, 0.95, 0.41}, 1e-12);
}

}  // namespace
}  // namespace quantsearch
