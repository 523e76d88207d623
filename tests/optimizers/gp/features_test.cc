#include "optimizers/gp/features.h"

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>

#include "optimizers/gp/kernel.h"

namespace quantsearch::gp {
namespace {

Domain mixed() {
  return {.dimensions = {FloatRange{.low = -1, .high = 3}, Categories{.count = 3},
                         IntRange{.low = 5, .high = 5}, Categories{.count = 2, .ordered = true}}};
}

TEST(FeatureMap, CountsDimensionsWithMoreThanOneValue) {
  const FeatureMap features(axes_of(mixed()));
  EXPECT_EQ(features.dimensions(), 3);
  EXPECT_EQ(features.slots(), 5);  // 1 + 3 + 1
  EXPECT_EQ(features.first_slot(1), 1);
  EXPECT_EQ(features.first_slot(2), -1);
}

TEST(FeatureMap, PutsCategoriesAtHammingDistanceAndNumbersAtTheirOwn) {
  const FeatureMap features(axes_of(mixed()));
  const auto squared = [&](const Coordinates& a, const Coordinates& b) {
    return (features.encode(a) - features.encode(b)).squaredNorm();
  };
  EXPECT_NEAR(squared({0, 0, 5, 0}, {0, 2, 5, 0}), 1, 1e-15);
  EXPECT_NEAR(squared({0, 1, 5, 0}, {0, 2, 5, 0}), 1, 1e-15);
  EXPECT_NEAR(squared({0, 1, 5, 0}, {1, 1, 5, 0}), 1.0 / 16, 1e-15);
  // Two ordered values are at a quarter and three quarters of the axis.
  EXPECT_NEAR(squared({0, 1, 5, 0}, {0, 1, 5, 1}), 0.25, 1e-15);
}

TEST(FeatureMap, GivesDimensionsWithoutEffectAFixedValue) {
  const FeatureMap features(axes_of(mixed()));
  const Eigen::VectorXd column = features.encode(Coordinates{kInactive, kInactive, 5, kInactive});
  EXPECT_TRUE(column.allFinite());
  EXPECT_DOUBLE_EQ(column[0], 0.5);
  EXPECT_DOUBLE_EQ(column.segment(1, 3).sum(), 0);
}

TEST(FeatureMap, MakesPositiveDefiniteKernels) {
  const FeatureMap features(axes_of(mixed()));
  std::vector<Coordinates> points;
  for (const double x : {-1.0, 0.5, kInactive}) {
    for (const double name : {0.0, 1.0, 2.0, kInactive}) {
      for (const double order : {0.0, 1.0}) points.push_back({x, name, 5, order});
    }
  }
  const Eigen::MatrixXd columns = features.encode(points);
  const Eigen::MatrixXd kernel = matern_values(squared_distances(columns, columns), 1);
  EXPECT_GT(kernel.selfadjointView<Eigen::Lower>().eigenvalues().minCoeff(), 1e-6);
}

}  // namespace
}  // namespace quantsearch::gp
