#include "optimizers/gp/acquisition.h"

#include <gtest/gtest.h>

#include <cmath>

#include "optimizers/gp/improvement.h"
#include "optimizers/gp/vector.h"
#include "quantsearch/base/random.h"

namespace quantsearch::gp {
namespace {

using Front = std::vector<std::vector<double>>;

double volume(const std::vector<Box>& boxes, double low) {
  double sum = 0;
  for (const Box& box : boxes) {
    double product = 1;
    for (std::size_t j = 0; j < box.low.size(); ++j) {
      product *= box.high[j] - std::max(box.low[j], low);
    }
    sum += product;
  }
  return sum;
}

void expect_gradients(const Acquisition& acquisition, const Eigen::VectorXd& means,
                      const Eigen::VectorXd& variances) {
  constexpr double kStep = 1e-6;
  const Worth here = acquisition(means, variances);
  for (Eigen::Index i = 0; i < means.size(); ++i) {
    const Eigen::VectorXd step = kStep * Eigen::VectorXd::Unit(means.size(), i);
    const double difference =
        (acquisition(means + step, variances).value - acquisition(means - step, variances).value) /
        (2 * kStep);
    EXPECT_NEAR(here.by_means[i], difference, 1e-5 * (1 + std::abs(difference)));
  }
  for (Eigen::Index i = 0; i < variances.size(); ++i) {
    const Eigen::VectorXd step = kStep * Eigen::VectorXd::Unit(variances.size(), i);
    const double difference =
        (acquisition(means, variances + step).value - acquisition(means, variances - step).value) /
        (2 * kStep);
    EXPECT_NEAR(here.by_variances[i], difference, 1e-5 * (1 + std::abs(difference)));
  }
}

TEST(ConstrainedImprovement, OfOneScenarioIsLogExpectedImprovement) {
  const auto acquisition = log_constrained_improvement(vector({0.5}), 1, {});
  EXPECT_NEAR((*acquisition)(vector({0.2}), vector({0.09})).value,
              log_expected_improvement(0.2, 0.09, 0.5).value, 1e-14);
}

TEST(ConstrainedImprovement, AveragesOverScenarios) {
  const auto acquisition = log_constrained_improvement(vector({0.5, -1}), 2, {});
  const double expected = std::log(0.5 * std::exp(log_expected_improvement(0.2, 0.09, 0.5).value) +
                                   0.5 * std::exp(log_expected_improvement(0.1, 0.09, -1).value));
  EXPECT_NEAR((*acquisition)(vector({0.2, 0.1}), vector({0.09})).value, expected, 1e-12);
}

TEST(ConstrainedImprovement, MultipliesByFeasibility) {
  const auto acquisition = log_constrained_improvement(vector({0.5}), 1, {-0.3});
  const double expected = log_expected_improvement(0.2, 0.09, 0.5).value +
                          std::log(0.5 * std::erfc(0.7 / std::sqrt(2.0)));
  // P(c <= -0.3), c ~ N(0.4, 1): z = -0.7.
  EXPECT_NEAR((*acquisition)(vector({0.2, 0.4}), vector({0.09, 1})).value, expected, 1e-12);
}

TEST(ConstrainedImprovement, SeeksOnlyFeasibilityBeforeAFeasiblePointIsKnown) {
  const auto acquisition = log_constrained_improvement(std::nullopt, 1, {0});
  EXPECT_NEAR((*acquisition)(vector({-7, 0}), vector({1, 1})).value, std::log(0.5), 1e-14);
}

TEST(ConstrainedImprovement, GradientsEqualFiniteDifferences) {
  expect_gradients(*log_constrained_improvement(vector({0.5, 0.2}), 2, {-0.3}),
                   vector({0.2, 0.1, 0.4}), vector({0.09, 0.8}));
}

TEST(ConstrainedImprovement, BoundHoldsForEverySmallerVariance) {
  const auto acquisition = log_constrained_improvement(vector({0.5}), 1, {0.1});
  for (const double limit_mean : {-1.0, 0.4}) {
    const Eigen::VectorXd means = vector({0.9, limit_mean});
    const double bound = acquisition->bound(means, vector({2, 2}));
    for (const double variance : {1e-3, 0.1, 1.0, 2.0}) {
      EXPECT_GE(bound + 1e-12, (*acquisition)(means, vector({variance, variance})).value);
    }
  }
}

TEST(NonDominatedBoxes, CoverTheNonDominatedRegion) {
  // Two objectives by hand: the square [0, 4]^2 less the area that (1, 3), (2, 1) dominate (3 * 1 +
  // 2 * 3
  // - 2 * 1 = 7).
  EXPECT_NEAR(volume(non_dominated_boxes({{1, 3}, {2, 1}}, {4, 4}), 0), 9, 1e-12);
  // Three objectives: the cube [0, 2]^3 less the unit cube that (1, 1, 1) dominates.
  EXPECT_NEAR(volume(non_dominated_boxes({{1, 1, 1}}, {2, 2, 2}), 0), 7, 1e-12);
}

TEST(NonDominatedBoxes, AreDisjointAndComplete) {
  RandomStream random(5);
  Front front;
  for (int i = 0; i < 12; ++i) {
    const double a = random.uniform();
    const double b = random.uniform();
    front.push_back({a, b, 1.6 - a - b});  // on a plane, so that none dominates another
  }
  const std::vector<Box> boxes = non_dominated_boxes(front, {2, 2, 2});
  for (int draw = 0; draw < 2000; ++draw) {
    const std::vector<double> point{2 * random.uniform(), 2 * random.uniform(),
                                    2 * random.uniform()};
    int inside = 0;
    for (const Box& box : boxes) {
      bool is_inside = true;
      for (std::size_t j = 0; j < 3; ++j) {
        is_inside = is_inside && point[j] >= box.low[j] && point[j] < box.high[j];
      }
      inside += is_inside ? 1 : 0;
    }
    bool is_dominated = false;
    for (const auto& other : front) {
      is_dominated =
          is_dominated || (other[0] <= point[0] && other[1] <= point[1] && other[2] <= point[2]);
    }
    EXPECT_EQ(inside, is_dominated ? 0 : 1);
  }
}

TEST(HypervolumeImprovement, OfACertainPointIsItsGain) {
  const auto acquisition = log_hypervolume_improvement({{1, 3}, {2, 1}}, {4, 4}, {});
  // (1.5, 1.5) adds the rectangle up to (2, 3): 0.5 * 1.5.
  EXPECT_NEAR((*acquisition)(vector({1.5, 1.5}), vector({1e-12, 1e-12})).value, std::log(0.75),
              1e-5);
}

TEST(HypervolumeImprovement, EqualsTheMeanOfDraws) {
  const Front front{{1, 3, 2}, {2, 1, 1}, {3, 2, 0.5}};
  const std::vector<double> reference{4, 4, 4};
  const auto acquisition = log_hypervolume_improvement(front, reference, {});
  const std::vector<Box> boxes = non_dominated_boxes(front, reference);
  RandomStream random(9);
  const std::vector<double> mean{1.7, 2.1, 1.2};
  const std::vector<double> deviation{0.8, 1.1, 0.5};
  constexpr int kDraws = 200'000;
  double sum = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    std::vector<double> point(3);
    for (std::size_t j = 0; j < 3; ++j) point[j] = mean[j] + deviation[j] * random.normal();
    for (const Box& box : boxes) {
      double gain = 1;
      for (std::size_t j = 0; j < 3; ++j) {
        gain *= std::max(0.0, box.high[j] - std::max(box.low[j], point[j]));
      }
      sum += gain;
    }
  }
  const double value = (*acquisition)(vector({1.7, 2.1, 1.2}), vector({0.64, 1.21, 0.25})).value;
  EXPECT_NEAR(std::exp(value) / (sum / kDraws), 1, 0.02);
}

TEST(HypervolumeImprovement, GradientsEqualFiniteDifferences) {
  const auto acquisition = log_hypervolume_improvement({{1, 3}, {2, 1}}, {4, 4}, {0.2});
  expect_gradients(*acquisition, vector({1.7, 2.1, 0.5}), vector({0.6, 0.9, 1.2}));
  // Nothing underflows at points that are far worse than the front.
  const Worth far = (*acquisition)(vector({60, 80, 0}), vector({1, 1, 1}));
  EXPECT_TRUE(std::isfinite(far.value));
  EXPECT_LT(far.by_means[0], 0);
}

}  // namespace
}  // namespace quantsearch::gp
