#include "optimizers/gp/lbfgs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "optimizers/gp/vector.h"

namespace quantsearch::gp {
namespace {

Evaluation rosenbrock(const Eigen::VectorXd& x) {
  const double a = x[1] - x[0] * x[0];
  return {.value = 100 * a * a + (1 - x[0]) * (1 - x[0]),
          .gradient = vector({-400 * a * x[0] - 2 * (1 - x[0]), 200 * a})};
}

constexpr LbfgsOptions kExact{
    .iterations = 200, .gradient_tolerance = 1e-8, .relative_decrease = 0};

TEST(Lbfgs, FindsTheMinimumOfACurvedValley) {
  const Minimum minimum =
      minimize(rosenbrock, vector({-1.2, 1}), vector({-5, -5}), vector({5, 5}), kExact);
  EXPECT_NEAR(minimum.at[0], 1, 1e-6);
  EXPECT_NEAR(minimum.at[1], 1, 1e-6);
  EXPECT_LT(minimum.evaluations, 100);
}

TEST(Lbfgs, StopsAtAnActiveBound) {
  // With x0 <= 0.5 the minimum is at x0 = 0.5, x1 = 0.25.
  const Minimum minimum =
      minimize(rosenbrock, vector({-1.2, 1}), vector({-5, -5}), vector({0.5, 5}), kExact);
  EXPECT_DOUBLE_EQ(minimum.at[0], 0.5);
  EXPECT_NEAR(minimum.at[1], 0.25, 1e-6);
  EXPECT_NEAR(minimum.value, 0.25, 1e-9);
}

TEST(Lbfgs, ClipsItsStartIntoTheBox) {
  const Minimum minimum =
      minimize(rosenbrock, vector({9, 9}), vector({-5, -5}), vector({5, 5}), kExact);
  EXPECT_NEAR(minimum.value, 0, 1e-9);
}

TEST(Lbfgs, ShortensStepsUntilTheFunctionIsDefined) {
  // ln is undefined below zero; -ln x + x has its minimum at 1.
  const auto barrier = [](const Eigen::VectorXd& x) -> Evaluation {
    if (x[0] <= 0) return {.value = std::numeric_limits<double>::infinity(), .gradient = {}};
    return {.value = x[0] - std::log(x[0]), .gradient = vector({1 - 1 / x[0]})};
  };
  const Minimum minimum = minimize(barrier, vector({3}), vector({-9}), vector({9}), kExact);
  EXPECT_NEAR(minimum.at[0], 1, 1e-6);
}

TEST(Lbfgs, ReturnsAStartWithoutAFiniteValueUnchanged) {
  const auto nowhere = [](const Eigen::VectorXd&) -> Evaluation {
    return {.value = std::numeric_limits<double>::quiet_NaN(), .gradient = {}};
  };
  const Minimum minimum = minimize(nowhere, vector({2}), vector({0}), vector({3}));
  EXPECT_EQ(minimum.at[0], 2);
  EXPECT_EQ(minimum.evaluations, 1);
}

}  // namespace
}  // namespace quantsearch::gp
