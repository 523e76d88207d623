#include "optimizers/cma/gaussian.h"

#include <gtest/gtest.h>

#include "optimizers/cma/expect_near.h"
#include "optimizers/cma/golden.h"
#include "optimizers/cma/learning_rates.h"

namespace quantsearch {
namespace {

TEST(CmaStrategy, HasTheConstantsOfTheTutorial) {
  // The values were computed with cmaes 0.13.1 for a population of 7 in 3 dimensions.
  const CmaStrategy strategy = cma_strategy(3, 7);
  EXPECT_EQ(strategy.parents, 3);
  expect_near(strategy.weights, {0.585645106509765, 0.2928225532548825, 0.12153234023535245, 0.0,
                                 -0.4241269418431741, -0.7706638857059224, -1.0636566969842556});
  EXPECT_NEAR(strategy.parent_mass, 2.2548150822016044, 1e-12);
  EXPECT_NEAR(strategy.rank_one_rate, 0.09640963257927214, 1e-12);
  EXPECT_NEAR(strategy.rank_mu_rate, 0.05124308701358615, 1e-12);
  EXPECT_NEAR(strategy.path_rate, 0.5588013228860189, 1e-12);
  EXPECT_NEAR(strategy.step_path_rate, 0.4149090010980616, 1e-12);
  EXPECT_NEAR(strategy.step_damping, 1.4149090010980616, 1e-12);
  EXPECT_NEAR(strategy.expected_length, 1.5968775302586076, 1e-12);
}

TEST(CmaStrategy, HasFiniteConstantsForEveryPopulationAndDimension) {
  for (const Eigen::Index dimensions : {0, 1, 2, 40}) {
    for (const Eigen::Index population : {2, 3, 4, 5, 100, 5000}) {
      const CmaStrategy strategy = cma_strategy(dimensions, population);
      EXPECT_TRUE(strategy.weights.allFinite());
      EXPECT_NEAR(strategy.weights.cwiseMax(0).sum(), 1, 1e-12);
      EXPECT_GE(strategy.rank_mu_rate, 0);
      EXPECT_LT(strategy.rank_one_rate + strategy.rank_mu_rate, 1);
      // A generation must not remove more than the whole covariance.
      EXPECT_GE(strategy.weights.cwiseMin(0).sum() * strategy.rank_mu_rate *
                    static_cast<double>(dimensions),
                -1);
    }
  }
}

TEST(CmaStrategy, GrowsThePopulationLogarithmicallyWithTheDimension) {
  EXPECT_EQ(default_population(0), 4);
  EXPECT_EQ(default_population(1), 4);
  EXPECT_EQ(default_population(10), 10);
  EXPECT_EQ(default_population(40), 15);
}

TEST(CmaGaussian, UpdatesLikeTheReference) {
  CmaGaussian gaussian(Eigen::VectorXd::Constant(3, 0.5), 0.2, Eigen::MatrixXd::Identity(3, 3));
  for (int g = 0; g < 4; ++g) gaussian.update(cma_strategy(3, 7), golden_points(3, 7, g));
  expect_near(gaussian.mean, {0.41648265960046227, 0.3669921626572217, 0.5123584590253721});
  EXPECT_NEAR(gaussian.sigma, 0.13629947147365756, 1e-11);
  expect_near(gaussian.covariance.reshaped(),
              {1.187475703803308, 0.05215383188065727, -0.2812797726132838, 0.05215383188065727,
               0.8277887322731307, -0.07917389981861198, -0.28127977261328374, -0.079173899818612,
               1.1172156750123508});
  expect_near(gaussian.path, {-1.1987536032052795, -0.34536621554987396, 1.0139834869930837});
  expect_near(gaussian.step_path, {-1.035674200605684, -0.3313461513542824, 0.8584047858926123});
}

TEST(CmaGaussian, UpdatesWithAdaptedRatesLikeTheReference) {
  CmaGaussian gaussian(Eigen::VectorXd::Constant(3, 0.5), 0.2, Eigen::MatrixXd::Identity(3, 3));
  CmaLearningRates rates(3);
  for (int g = 0; g < 4; ++g) {
    const CmaGaussian before = gaussian;
    gaussian.update(cma_strategy(3, 7), golden_points(3, 7, g));
    rates.damp(before, gaussian);
  }
  expect_near(gaussian.mean, {0.45020960866705345, 0.37211195748314035, 0.4813705881962438});
  EXPECT_NEAR(gaussian.sigma, 0.18257315089965734, 1e-11);
  expect_near(gaussian.covariance.reshaped(),
              {1.158682652011379, 0.04241835213133359, -0.15311414419382224, 0.04241835213133355,
               0.8355336725933766, -0.12124550411992005, -0.1531141441938223, -0.12124550411992001,
               1.0711228723405921},
              1e-8);
  EXPECT_NEAR(rates.mean_rate(), 0.7084930271782001, 1e-11);
  EXPECT_NEAR(rates.covariance_rate(), 0.8912938519746079, 1e-11);
}

TEST(CmaGaussian, DrawsWithItsMeanAndCovariance) {
  Eigen::MatrixXd covariance(2, 2);
  covariance << 4, 1.5, 1.5, 1;
  CmaGaussian gaussian(Eigen::VectorXd::Constant(2, 3), 0.5, covariance);
  gaussian.stretch[1] = 2;
  RandomStream random(7);
  const int draws = 20'000;
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(2);
  Eigen::MatrixXd second = Eigen::MatrixXd::Zero(2, 2);
  for (int i = 0; i < draws; ++i) {
    const Eigen::VectorXd offset = gaussian.draw(random) - gaussian.mean;
    mean += offset / draws;
    second += offset * offset.transpose() / draws;
  }
  // sigma^2 A C A = 0.25 (4, 3; 3, 4); standard errors below 0.011
  expect_near(mean, {0, 0}, 0.04);
  expect_near(second.reshaped(), {1, 0.75, 0.75, 1}, 0.05);
}

TEST(CmaGaussian, MeasuresDistanceInDeviationsAlongItsAxes) {
  Eigen::MatrixXd covariance(2, 2);
  covariance << 4, 0, 0, 1;
  CmaGaussian gaussian(Eigen::VectorXd::Zero(2), 0.5, covariance);
  EXPECT_NEAR(gaussian.distance(Eigen::Vector2d(3, 0)), 3, 1e-12);
  gaussian.stretch[0] = 3;
  EXPECT_NEAR(gaussian.distance(Eigen::Vector2d(3, 1)), std::sqrt(5), 1e-12);
}

}  // namespace
}  // namespace quantsearch
