#include <gtest/gtest.h>

#include <cmath>

#include "optimizers/gp/model.h"
#include "optimizers/gp/surrogate.h"
#include "quantsearch/base/random.h"

namespace quantsearch::gp {
namespace {

constexpr Eigen::Index kObservations = 15;

Hyperparameters smooth() {
  return {
      .inverse_squared_lengths = Eigen::VectorXd::Constant(2, 4), .amplitude = 1.3, .noise = 1e-8};
}

struct Sample {
  Eigen::MatrixXd features;
  Eigen::VectorXd targets;
};
Sample sample() {
  RandomStream random(4);
  Sample made{
      .features = Eigen::MatrixXd::NullaryExpr(2, kObservations, [&] { return random.uniform(); }),
      .targets = {}};
  made.targets = (3 * made.features.row(0).array()).sin().matrix().transpose() +
                 made.features.row(1).transpose();
  return made;
}

Posterior posterior_of(const Sample& made, double noise = 0) {
  return Posterior(made.features, {0, 1}, smooth(), made.targets,
                   Eigen::VectorXd::Constant(kObservations, noise));
}

TEST(Posterior, InterpolatesExactObservations) {
  const Sample made = sample();
  const auto marginals = posterior_of(made).marginals(made.features);
  EXPECT_LT((marginals.means.col(0) - made.targets).cwiseAbs().maxCoeff(), 1e-4);
  EXPECT_LT(marginals.variances.maxCoeff(), 1e-6);
}

TEST(Posterior, FallsBackToThePriorFarAway) {
  const auto marginals = posterior_of(sample()).marginals(Eigen::MatrixXd::Constant(2, 1, 50));
  EXPECT_NEAR(marginals.means(0, 0), 0, 1e-9);
  EXPECT_NEAR(marginals.variances[0], 1.3, 1e-9);
}

TEST(Posterior, OfOneObservationEqualsItsFormulaByHand) {
  // With k = a and noise v the mean is a y / (a + v) and the variance a - a^2 / (a + v).
  const Posterior posterior(Eigen::MatrixXd::Zero(2, 1), {0, 1}, smooth(),
                            Eigen::MatrixXd::Constant(1, 1, 2), Eigen::VectorXd::Constant(1, 0.7));
  const auto marginals = posterior.marginals(Eigen::MatrixXd::Zero(2, 1));
  EXPECT_NEAR(marginals.means(0, 0), 1.3 * 2 / 2.0, 1e-7);
  EXPECT_NEAR(marginals.variances[0], 1.3 - 1.69 / 2.0, 1e-7);
}

TEST(Posterior, WeightsAnObservationByItsKnownVariance) {
  const Sample made = sample();
  Eigen::VectorXd variances = Eigen::VectorXd::Constant(kObservations, 1e-6);
  variances[3] = 100;
  Eigen::VectorXd wrong = made.targets;
  wrong[3] += 5;
  const Posterior posterior(made.features, {0, 1}, smooth(), wrong, variances);
  EXPECT_NEAR(posterior.means_at_observations()(3, 0), made.targets[3], 0.2);
  EXPECT_NEAR(posterior.means_at_observations()(4, 0), made.targets[4], 0.01);
}

TEST(Posterior, GivesTheSameResultForOnePointAndForMany) {
  const Sample made = sample();
  const Posterior posterior = posterior_of(made, 0.01);
  const Eigen::MatrixXd places = Eigen::MatrixXd::Constant(2, 1, 0.37);
  const auto marginals = posterior.marginals(places);
  const Posterior::Local local = posterior.at(places.col(0));
  EXPECT_NEAR(local.means[0], marginals.means(0, 0), 1e-10);
  EXPECT_NEAR(local.variance, marginals.variances[0], 1e-10);
  EXPECT_NEAR(posterior.covariance(places)(0, 0), marginals.variances[0], 1e-10);
  EXPECT_NEAR(posterior.means(places)(0, 0), marginals.means(0, 0), 1e-10);
}

TEST(Surrogate, GradientEqualsFiniteDifferences) {
  const Sample made = sample();
  std::vector<Posterior> outputs{posterior_of(made, 0.01), posterior_of(made, 0.5)};
  const Surrogate surrogate(
      std::move(outputs), log_constrained_improvement(Eigen::VectorXd::Constant(1, 0.3), 1, {0.6}));
  Eigen::VectorXd at(2);
  at << 0.3, 0.8;
  const Evaluation here = surrogate.worth_at(at);
  EXPECT_NEAR(here.value, surrogate.worth(at)[0], 1e-8);
  constexpr double kStep = 1e-5;
  for (Eigen::Index i = 0; i < 2; ++i) {
    const Eigen::VectorXd step = kStep * Eigen::VectorXd::Unit(2, i);
    const double difference =
        (surrogate.worth_at(at + step).value - surrogate.worth_at(at - step).value) / (2 * kStep);
    EXPECT_NEAR(here.gradient[i], difference, 1e-4 * (1 + std::abs(difference)));
  }
  EXPECT_GE(surrogate.bounds(at)[0], here.value);
}

TEST(Posterior, IsStableForThreeHundredCollinearPoints) {
  constexpr Eigen::Index kMany = 300;
  Eigen::MatrixXd features(1, kMany);
  for (Eigen::Index i = 0; i < kMany; ++i) features(0, i) = static_cast<double>(i) * 1e-4;
  const Hyperparameters parameters{.inverse_squared_lengths = Eigen::VectorXd::Constant(1, 0.01),
                                   .amplitude = 100,
                                   .noise = 1e-8};
  const Posterior posterior(features, {0}, parameters, features.transpose(),
                            Eigen::VectorXd::Zero(kMany));
  const auto marginals = posterior.marginals(features);
  EXPECT_TRUE(marginals.means.allFinite());
  EXPECT_LT((marginals.means.transpose() - features).cwiseAbs().maxCoeff(), 1e-3);
  EXPECT_GE(marginals.variances.minCoeff(), 0);
}

TEST(Fit, FindsWhichDimensionMatters) {
  RandomStream random(6);
  const Eigen::MatrixXd features =
      Eigen::MatrixXd::NullaryExpr(2, 40, [&] { return random.uniform(); });
  const Series series{.features = features,
                      .dimension_of = {0, 1},
                      .values = (9 * features.row(0).array()).sin().matrix().transpose(),
                      .variances = Eigen::VectorXd::Zero(40)};
  const Hyperparameters found = from_logarithms(fit(series, {}).logarithms);
  EXPECT_GT(found.inverse_squared_lengths[0], 30 * found.inverse_squared_lengths[1]);
  EXPECT_LT(found.noise, 1e-2);
}

TEST(Fit, WarpsHeavyTails) {
  RandomStream random(7);
  const Eigen::MatrixXd features =
      Eigen::MatrixXd::NullaryExpr(2, 40, [&] { return random.uniform(); });
  const Series series{.features = features,
                      .dimension_of = {0, 1},
                      .values = (12 * features.row(0).array()).exp().matrix().transpose(),
                      .variances = Eigen::VectorXd::Zero(40)};
  EXPECT_GT(fit(series, {}).warp_level, 2);
  EXPECT_EQ(fit(series, {.is_warped = false}).warp_level, 0);
}

TEST(Fit, DistinguishesNoiseFromSignal) {
  RandomStream random(8);
  const Eigen::MatrixXd features =
      Eigen::MatrixXd::NullaryExpr(1, 60, [&] { return random.uniform(); });
  Series series{.features = features,
                .dimension_of = {0},
                .values = Eigen::VectorXd::NullaryExpr(60, [&] { return random.normal(); }),
                .variances = Eigen::VectorXd::Zero(60)};
  EXPECT_GT(from_logarithms(fit(series, {.is_warped = false}).logarithms).noise, 0.3);
  // Without fitted noise, the noise is the least that keeps the covariance positive definite.
  const Fit exact = fit(series, {.noise_is_fitted = false, .is_warped = false});
  EXPECT_LT(from_logarithms(exact.logarithms).noise, 1e-7);
}

}  // namespace
}  // namespace quantsearch::gp
