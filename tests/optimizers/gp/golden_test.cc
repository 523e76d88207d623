// Reference values of another implementation for fixed observations and hyper-parameters:
// scikit-learn 1.9.1's GaussianProcessRegressor with ConstantKernel(1.3) *
// Matern(length_scale=1/sqrt([4, 0.25]), nu=2.5) + WhiteKernel(0.02), alpha=0.01, and SciPy
// 1.17.1's normal distribution for the expected improvement. Its derivatives are with respect to ln
// length, which is -1/2 ln rho.

#include <gtest/gtest.h>

#include <cmath>

#include "optimizers/gp/improvement.h"
#include "optimizers/gp/likelihood.h"
#include "optimizers/gp/model.h"

namespace quantsearch::gp {
namespace {

Data observations() {
  Data data{.features = Eigen::MatrixXd(2, 5),
            .dimension_of = {0, 1},
            .targets = Eigen::VectorXd(5),
            .variances = Eigen::VectorXd::Constant(5, 0.01)};
  data.features << 0.1, 0.35, 0.5, 0.8, 0.95, 0.9, 0.2, 0.55, 0.05, 0.7;
  data.targets << 0.3, -1.2, 0.4, 1.5, -0.6;
  return data;
}

Eigen::VectorXd logarithms() {
  Eigen::VectorXd values(4);
  values << std::log(4.0), std::log(0.25), std::log(1.3), std::log(0.02);
  return values;
}

TEST(GoldenProcess, LikelihoodAndItsGradient) {
  const Evaluation found = negative_log_likelihood(observations(), logarithms());
  EXPECT_NEAR(found.value, 17.9326998419055, 1e-11);
  const double expected[] = {-9.87451004462786, -4.37545704814479, -9.22092183124591,
                             -2.10832251340973};
  for (Eigen::Index i = 0; i < 4; ++i) EXPECT_NEAR(found.gradient[i], expected[i], 1e-11) << i;
}

TEST(GoldenProcess, PosteriorAndExpectedImprovement) {
  const Data data = observations();
  const Posterior posterior(data.features, data.dimension_of, from_logarithms(logarithms()),
                            data.targets, data.variances);
  Eigen::MatrixXd places(2, 2);
  places << 0.25, 0.9, 0.4, 0.3;
  const auto marginals = posterior.marginals(places);
  const double means[] = {-0.854060160614238, 0.518363246493468};
  const double variances[] = {0.0406108623478805, 0.0303221464395878};
  // Logarithms of the expected improvement over the best observation.
  const double improvements[] = {-5.64404404911128, -55.9652935095202};
  for (Eigen::Index i = 0; i < 2; ++i) {
    EXPECT_NEAR(marginals.means(i, 0), means[i], 1e-7) << i;
    EXPECT_NEAR(marginals.variances[i], variances[i], 1e-7) << i;
    EXPECT_NEAR(log_expected_improvement(means[i], variances[i], -1.2).value, improvements[i],
                1e-10)
        << i;
  }
}

}  // namespace
}  // namespace quantsearch::gp
