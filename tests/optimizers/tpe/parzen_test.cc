#include "optimizers/tpe/parzen.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace quantsearch {
namespace {

// Real, logarithmic real, integer, logarithmic integer, real with a step of a quarter, categories.
std::vector<Axis> six_axes() {
  return {Axis(FloatRange{.low = -2, .high = 3}),
          Axis(FloatRange{.low = 1e-4, .high = 1, .log = true}),
          Axis(IntRange{.low = 0, .high = 20}),
          Axis(IntRange{.low = 1, .high = 64, .log = true}),
          Axis(FloatRange{.low = 0, .high = 2, .step = 0.25}),
          Axis(Categories{.count = 3})};
}

const std::vector<Coordinates>& seven_points() {
  static const std::vector<Coordinates> kPoints = {
      {-1.5, 1e-3, 3, 1, 0.25, 0}, {0.25, 2e-2, 17, 8, 1, 2}, {0.5, 5e-1, 17, 16, 1, 2},
      {2.75, 1e-4, 0, 64, 0, 1},   {-0.75, 3e-3, 9, 7, 2, 2}, {1.25, 9e-2, 10, 30, 1.75, 0},
      {0.3, 4e-2, 20, 2, 0.5, 1}};
  return kPoints;
}

const std::vector<Coordinates>& three_points() {
  static const std::vector<Coordinates> kPoints = {
      {0.1, 1e-2, 16, 9, 1.25, 2}, {-2, 1, 0, 64, 2, 1}, {3, 1e-4, 20, 1, 0, 0}};
  return kPoints;
}

/// A mixture that owns its axes, history and cache. All weights are by age.
struct Estimate {
  Estimate(std::vector<Axis> chosen, const std::vector<Coordinates>& points)
      : axes(std::move(chosen)), cache(axes), history(axes) {
    for (std::size_t i = 0; i < points.size(); ++i)
      history.add(static_cast<std::int64_t>(i), points[i]);
    rows.resize(points.size());
    std::iota(rows.begin(), rows.end(), 0U);
  }
  [[nodiscard]] ParzenMixture mixture() {
    return ParzenMixture(axes, history, rows, age_weights(rows.size()), cache);
  }
  std::vector<Axis> axes;
  ParzenCache cache;
  History history;
  std::vector<std::uint32_t> rows;
};

void expect_densities(Estimate& estimate, const std::vector<double>& expected) {
  const ParzenMixture mixture = estimate.mixture();
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(mixture.log_density(three_points()[i]), expected[i], 1e-9) << i;
}

// The widths and densities were computed with Optuna 5.0.0 (multivariate, defaults) with its sort
// made stable, so that equal observations keep their order, which Optuna leaves undefined.
TEST(ParzenMixture, HasKernelWidthsEqualToTheLargerGap) {
  Estimate estimate(six_axes(), seven_points());
  const ParzenMixture mixture = estimate.mixture();
  const std::vector<std::vector<double>> widths = {
      {0.75, 1, 0.75, 1.5, 1, 1.5, 5. / 9, 5},
      {2.302585092994045, 1.8971199848858817, 1.7147984280919268, 2.302585092994045,
       1.8971199848858817, 1.7147984280919268, 1.0233711524417979, 9.210340371976182},
      {6, 7, 3, 3, 6, 7, 3, 21},
      {0.6931471805599453, 0.6931471805599454, 0.6931471805599454, 0.757685701697516,
       1.252762968495368, 0.757685701697516, 1.252762968495368, 4.859812404361672},
      {0.25, 0.5, 0.75, 0.25, 0.25, 0.75, 0.5, 2.25}};
  for (std::size_t dimension = 0; dimension < widths.size(); ++dimension) {
    for (std::size_t kernel = 0; kernel < 8; ++kernel)
      EXPECT_NEAR(mixture.width(dimension, kernel), widths[dimension][kernel], 1e-12)
          << dimension << " " << kernel;
  }
  EXPECT_DOUBLE_EQ(mixture.weight(0), 1. / 8);
}

TEST(ParzenMixture, EqualsTheDensityOfTheReference) {
  Estimate seven(six_axes(), seven_points());
  expect_densities(seven, {-11.590823228875026, -18.29106515790407, -14.070930356442677});
  Estimate one(six_axes(), {seven_points().front()});
  expect_densities(one, {-14.082947735270105, -16.65327003039015, -11.69012719118604});
  Estimate none(six_axes(), {});
  expect_densities(none, {-13.797693427274357, -16.291925312042867, -11.991498904949715});
  std::vector<Coordinates> sixty;
  for (int i = 0; i < 60; ++i) {
    sixty.push_back({-2 + 5 * ((i * 37 % 60) + .5) / 60,
                     std::pow(10, -4 + 4 * ((i * 23 % 60) + .5) / 60), double(i * 7 % 21),
                     double(1 + (i * 11 % 64)), .25 * (i * 5 % 9), double(i % 3)});
  }
  Estimate many(six_axes(), sixty);
  expect_densities(many, {-17.57713696780323, -20.071368852571872, -15.770942445478719});
}

TEST(ParzenMixture, IntegratesToOne) {
  Estimate estimate({Axis(FloatRange{.low = -2, .high = 3}), Axis(IntRange{.low = 0, .high = 4})},
                    {{-2, 0}, {1, 4}, {1.5, 4}});
  const ParzenMixture mixture = estimate.mixture();
  double sum = 0;
  for (int i = 0; i < 5000; ++i) {
    for (double integer = 0; integer <= 4; ++integer)
      sum += std::exp(mixture.log_density({-2 + (i + 0.5) * 1e-3, integer})) * 1e-3;
  }
  EXPECT_NEAR(sum, 1, 1e-6);
}

TEST(ParzenMixture, DrawsFromItsDensity) {
  Estimate estimate(
      {Axis(IntRange{.low = 1, .high = 6, .log = true}), Axis(Categories{.count = 3})},
      {{2, 1}, {6, 2}, {3, kInactive}});
  const ParzenMixture mixture = estimate.mixture();
  constexpr int kDraws = 40'000;
  std::vector<int> counts(18, 0);
  RandomStream random(5);
  for (int i = 0; i < kDraws; ++i) {
    const Coordinates point = mixture.draw(random);
    ++counts[static_cast<std::size_t>((point[0] - 1) * 3 + point[1])];
  }
  double chi_square = 0;
  for (std::size_t cell = 0; cell < counts.size(); ++cell) {
    const double expected =
        kDraws * std::exp(mixture.log_density({double(cell / 3 + 1), double(cell % 3)}));
    chi_square += std::pow(counts[cell] - expected, 2) / expected;
  }
  EXPECT_LT(chi_square, 40.8);  // 17 degrees of freedom, 0.1 %
}

TEST(ParzenMixture, UsesThePriorForKernelsWithoutAnObservation) {
  const std::vector<Axis> axes = {Axis(FloatRange{.low = 0, .high = 1}),
                                  Axis(FloatRange{.low = 0, .high = 1})};
  Estimate estimate(axes, {{0.2, kInactive}, {0.6, 0.9}});
  const ParzenMixture mixture = estimate.mixture();
  EXPECT_EQ(mixture.width(1, 0), 1);
  // Without its second coordinate a point has the density of the first alone.
  Estimate first({axes.front()}, {{0.2}, {0.6}});
  EXPECT_NEAR(mixture.log_density({0.3, kInactive}), first.mixture().log_density({0.3}), 1e-12);
  // The second alone, from the kernels observed in it, does not depend on the first trial.
  Estimate second({axes.back()}, {{0.9}});
  EXPECT_NEAR(mixture.log_marginal(1, 0.4), second.mixture().log_density({0.4}), 1e-12);
}

TEST(ParzenMixture, DoesNotDependOnEarlierCacheContents) {
  Estimate used(six_axes(), seven_points());
  for (std::size_t count = 1; count < 7; ++count) {
    used.rows.resize(count);
    for (const Coordinates& point : three_points()) (void)used.mixture().log_density(point);
  }
  used.rows = {1, 3, 4};
  Estimate fresh(six_axes(), {seven_points()[1], seven_points()[3], seven_points()[4]});
  for (const Coordinates& point : three_points())
    EXPECT_EQ(used.mixture().log_density(point), fresh.mixture().log_density(point));
}

TEST(ParzenMixture, SupportsGridsOfAnySize) {
  Estimate estimate({Axis(IntRange{.low = 0, .high = 1'000'000'000'000})}, {{5e11}, {1}});
  const ParzenMixture mixture = estimate.mixture();
  RandomStream random(3);
  const Coordinates drawn = mixture.draw(random);
  EXPECT_EQ(drawn[0], std::round(drawn[0]));
  // The kernels are at 5e11, 1 and the middle; the first two are half as wide as the axis, and all
  // are truncated to it: (0.798 / 0.683 + 0.484 / 0.477 + 0.399 / 0.383) / 3 of 10^-12.
  EXPECT_NEAR(mixture.log_density({5e11}), std::log(1.075e-12), 0.01);
}

TEST(AgeWeights, RampUpToTheLastTwentyFive) {
  EXPECT_EQ(age_weights(0).size(), 0U);
  EXPECT_EQ(age_weights(25), std::vector<double>(25, 1));
  EXPECT_DOUBLE_EQ(age_weights(26).front(), 1. / 26);
  const std::vector<double> weights = age_weights(60);
  EXPECT_DOUBLE_EQ(weights[0], 1. / 60);
  EXPECT_NEAR(weights[1], 0.04558824, 1e-8);
  EXPECT_EQ(weights[34], 1);
  EXPECT_EQ(weights[59], 1);
}

}  // namespace
}  // namespace quantsearch
