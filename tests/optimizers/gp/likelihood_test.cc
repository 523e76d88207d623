#include "optimizers/gp/likelihood.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quantsearch/base/random.h"

namespace quantsearch::gp {
namespace {

Data random_data(Eigen::Index observations, std::uint64_t seed) {
  RandomStream random(seed);
  Data data{
      .features = Eigen::MatrixXd::NullaryExpr(3, observations, [&] { return random.uniform(); }),
      .dimension_of = {0, 1, 1},
      .targets = Eigen::VectorXd::NullaryExpr(observations, [&] { return random.normal(); }),
      .variances = Eigen::VectorXd::Constant(observations, 0.01)};
  return data;
}

TEST(Matern, EqualsItsFormulaByHand) {
  // q = 1: r = sqrt(5), k = 2 (1 + sqrt(5) + 5 / 3) exp(-sqrt(5)).
  const Eigen::MatrixXd squared = Eigen::MatrixXd::Ones(1, 1);
  const double r = std::sqrt(5.0);
  const KernelValues values = matern(squared, 2);
  EXPECT_NEAR(values.value(0, 0), 2 * (1 + r + 5.0 / 3) * std::exp(-r), 1e-15);
  EXPECT_NEAR(values.slope(0, 0), -2 * 5.0 / 6 * (1 + r) * std::exp(-r), 1e-15);
  EXPECT_DOUBLE_EQ(matern_values(Eigen::MatrixXd::Zero(1, 1), 2)(0, 0), 2);
}

TEST(SquaredDistances, EqualDifferencesOneByOne) {
  const Data data = random_data(7, 1);
  const Eigen::MatrixXd squared = squared_distances(data.features, data.features);
  for (Eigen::Index i = 0; i < 7; ++i) {
    for (Eigen::Index j = 0; j < 7; ++j) {
      EXPECT_NEAR(squared(i, j), (data.features.col(i) - data.features.col(j)).squaredNorm(),
                  1e-14);
    }
  }
}

TEST(Likelihood, EqualsTheNormalDensityOfTwoObservations) {
  Data data{.features = Eigen::MatrixXd(1, 2),
            .dimension_of = {0},
            .targets = Eigen::VectorXd(2),
            .variances = Eigen::VectorXd::Zero(2)};
  data.features << 0, 1;
  data.targets << 1, -0.5;
  // With rho 1, amplitude 1 and noise 0.5 the covariance is [1.5, c; c, 1.5].
  const double r = std::sqrt(5.0);
  const double c = (1 + r + 5.0 / 3) * std::exp(-r);
  const double determinant = 2.25 - c * c;
  const double form = (1.5 * 1 + 1.5 * 0.25 + 2 * c * 0.5) / determinant;
  const double expected = 0.5 * form + 0.5 * std::log(determinant) + std::log(2 * std::acos(-1.0));
  Eigen::VectorXd logarithms(3);
  logarithms << 0, 0, std::log(0.5);
  EXPECT_NEAR(negative_log_likelihood(data, logarithms).value, expected, 1e-13);
}

TEST(Likelihood, GradientEqualsFiniteDifferences) {
  const Data data = random_data(12, 2);
  const Prior prior = prior_of(2, true);
  Eigen::VectorXd at(4);
  at << 0.7, -1.1, 0.3, -2;
  const Evaluation here = negative_log_posterior(data, prior, at);
  constexpr double kStep = 1e-5;
  for (Eigen::Index i = 0; i < at.size(); ++i) {
    Eigen::VectorXd up = at;
    Eigen::VectorXd down = at;
    up[i] += kStep;
    down[i] -= kStep;
    const double difference = (negative_log_posterior(data, prior, up).value -
                               negative_log_posterior(data, prior, down).value) /
                              (2 * kStep);
    EXPECT_NEAR(here.gradient[i], difference, 1e-6 * (1 + std::abs(difference))) << i;
  }
}

TEST(Prior, EqualsItsFormulaByHand) {
  // In two dimensions the level has the mean 1 - ln 2 and the variance 2^2 + 1 / 2. At (1, 3) the
  // level is 2, and each logarithm is one scale from it: 2 * (4 + 1) / 2 * ln(1 + 1 / 4). The
  // amplitude is one deviation off, the noise two.
  const Prior prior = prior_of(2, true);
  Eigen::VectorXd at(4);
  at << 1, 3, 2, -16;
  const double excess = 2 - (1 - std::log(2.0));
  const double expected = 0.5 * excess * excess / 4.5 + 5 * std::log(1.25) + 0.5 * (1 + 4);
  EXPECT_NEAR(negative_log_prior(prior, at).value, expected, 1e-13);
}

TEST(Prior, PrefersSimilarLengthsButAllowsOutliers) {
  // Lengths that differ from the mean in the same direction cost less than lengths that differ in
  // opposite directions. An outlier at twice the distance costs less than the four times of a
  // normal density.
  const Prior prior = prior_of(4, true);
  Eigen::VectorXd together = prior.mean;
  Eigen::VectorXd apart = prior.mean;
  together.head(4).array() += 1.5;
  apart.head(4) += Eigen::Vector4d(1.5, -1.5, 1.5, -1.5);
  EXPECT_LT(negative_log_prior(prior, together).value, negative_log_prior(prior, apart).value);
  Eigen::VectorXd off = prior.mean;
  Eigen::VectorXd farther = prior.mean;
  off[0] += 5;
  farther[0] += 10;
  EXPECT_LT(negative_log_prior(prior, farther).value, 4 * negative_log_prior(prior, off).value);
}

TEST(Likelihood, IsNotFiniteWhereTheCovarianceCannotBeFactorised) {
  Data data = random_data(3, 3);
  data.variances.setConstant(-10);
  EXPECT_FALSE(std::isfinite(negative_log_likelihood(data, Eigen::VectorXd::Zero(4)).value));
}

}  // namespace
}  // namespace quantsearch::gp
