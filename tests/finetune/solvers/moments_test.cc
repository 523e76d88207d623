#include "finetune/solvers/moments.h"

#include <gtest/gtest.h>

#include <cmath>

#include "finetune/solvers/problems.h"
#include "quantsearch/base/error.h"

namespace quantsearch::reconstruction {
namespace {

std::vector<LayerShape> moment_shapes() {
  return {{1, 1, 1}, {1, 3, 5}, {4, 1, 9}, {2, 5, 12}, {1, 10, 384}, {1, 7, 385}, {2, 200, 400}};
}

TEST(Moments, MatchHandValues) {
  ThreadPool pool(1);
  MomentsAccumulator accumulator({.groups = 1, .rows = 1, .columns = 2});
  accumulator.add({.count = 2, .inputs = {1, 2, 3, 4}, .targets = {5, 7}}, pool);
  const Moments moments = accumulator.moments();
  EXPECT_EQ(moments.count, 2);
  EXPECT_EQ(moments.h, (std::vector<double>{2.5, 5.5, 5.5, 12.5}));
  EXPECT_EQ(moments.c, (std::vector<double>{9.5, 21.5}));
  EXPECT_EQ(moments.input_mean, (std::vector<double>{1.5, 3.5}));
  EXPECT_EQ(moments.output_mean, (std::vector<double>{6}));
  EXPECT_EQ(moments.energy, (std::vector<double>{37}));
}

TEST(Moments, AreZeroWithoutColumns) {
  ThreadPool pool(1);
  MomentsAccumulator accumulator({.groups = 1, .rows = 1, .columns = 1});
  accumulator.add({}, pool);
  EXPECT_EQ(accumulator.moments().count, 0);
  EXPECT_EQ(accumulator.moments().h, std::vector<double>{0});
}

TEST(Moments, RejectColumnsOfAnotherShape) {
  ThreadPool pool(1);
  MomentsAccumulator accumulator({.groups = 1, .rows = 1, .columns = 2});
  EXPECT_THROW(accumulator.add({.count = 1, .inputs = {1}, .targets = {1}}, pool), InternalError);
}

TEST(Moments, HaveTheSameBytesForAnyThreadCount) {
  ThreadPool one(1);
  ThreadPool three(3);
  for (const LayerShape& shape : moment_shapes()) {
    const Problem problem = make_problem({.shape = shape, .count = 1300});
    const Moments first = moments_of(problem, one);
    const Moments second = moments_of(problem, three);
    EXPECT_EQ(first.h, second.h);
    EXPECT_EQ(first.c, second.c);
    EXPECT_EQ(first.input_mean, second.input_mean);
    EXPECT_EQ(first.output_mean, second.output_mean);
    EXPECT_EQ(first.energy, second.energy);
  }
}

TEST(Moments, AgreeWithSlowSumsInEveryGroup) {
  ThreadPool pool(2);
  for (const LayerShape& shape : moment_shapes()) {
    const Problem problem = make_problem({.shape = shape, .count = 700});
    const Moments moments = moments_of(problem, pool);
    const auto input = [&](std::int64_t group, std::int64_t k, std::int64_t column) {
      return static_cast<double>(
          problem.columns.inputs[(group * shape.columns + k) * 700 + column]);
    };
    for (std::int64_t group = 0; group < shape.groups; ++group) {
      for (std::int64_t i = 0; i < shape.columns; i += 3) {
        for (std::int64_t j = 0; j < shape.columns; j += 7) {
          double sum = 0;
          for (std::int64_t column = 0; column < 700; ++column)
            sum += input(group, i, column) * input(group, j, column);
          ASSERT_NEAR(moments.h[(group * shape.columns + i) * shape.columns + j], sum / 700, 1e-5);
        }
        for (std::int64_t row = 0; row < shape.rows; row += 5) {
          const std::int64_t output = group * shape.rows + row;
          double sum = 0;
          for (std::int64_t column = 0; column < 700; ++column) {
            sum += input(group, i, column) * problem.columns.targets[output * 700 + column];
          }
          ASSERT_NEAR(moments.c[output * shape.columns + i], sum / 700, 2e-4);
        }
      }
    }
  }
}

TEST(Moments, AreThoseOfAllColumnsAfterAMerge) {
  ThreadPool pool(1);
  const LayerShape shape{.groups = 2, .rows = 2, .columns = 3};
  const Problem first = make_problem({.shape = shape, .count = 40, .seed = 1});
  const Problem second = make_problem({.shape = shape, .count = 60, .seed = 2});
  MomentsAccumulator left(shape);
  left.add(first.columns, pool);
  MomentsAccumulator right(shape);
  right.add(second.columns, pool);
  MomentsAccumulator both(shape);
  both.add(first.columns, pool);
  both.add(second.columns, pool);
  left.merge(right);
  EXPECT_EQ(left.moments().h, both.moments().h);
  EXPECT_EQ(left.moments().c, both.moments().c);
  EXPECT_EQ(left.moments().count, 100);
}

TEST(Moments, RejectAMergeWithAnotherShape) {
  MomentsAccumulator one({.groups = 1, .rows = 1, .columns = 1});
  EXPECT_THROW(one.merge(MomentsAccumulator({.groups = 1, .rows = 1, .columns = 2})),
               InternalError);
}

TEST(RoundToNearest, RoundsTiesToEvenAndSaturates) {
  const LayerWeights layer{.shape = {.groups = 1, .rows = 1, .columns = 6},
                           .values = {0.25F, 0.75F, -0.25F, 1.2F, 9.0F, -9.0F},
                           .bias = {3},
                           .grid = {.scales = {0.5F}, .zero_points = {1}, .limits = {-8, 7}}};
  const Solution solution = round_to_nearest(layer);
  EXPECT_EQ(solution.codes, (std::vector<std::int32_t>{1, 3, 1, 3, 7, -8}));
  EXPECT_EQ(solution.scales, layer.grid.scales);
  EXPECT_EQ(solution.bias, layer.bias);
  EXPECT_EQ(dequantized(layer, solution), (std::vector<float>{0, 1, 0, 1, 3, -4.5F}));
}

TEST(RowErrors, MatchErrorsComputedFromColumns) {
  ThreadPool pool(2);
  for (const LayerShape& shape : moment_shapes()) {
    for (const bool bias : {false, true}) {
      const Problem problem = make_problem({.shape = shape, .count = 300, .bias = bias});
      const Moments moments = moments_of(problem, pool);
      const Solution solution = round_to_nearest(problem.layer);
      const std::vector<double> fast = row_errors(problem.layer, solution, moments, pool);
      const std::vector<double> slow = slow_row_errors(problem, solution);
      ASSERT_EQ(fast.size(), slow.size());
      for (std::size_t output = 0; output < fast.size(); ++output) {
        ASSERT_NEAR(fast[output], slow[output],
                    1e-4 * slow[output] + 1e-6 * moments.energy[output]);
      }
    }
  }
}

TEST(RowErrors, AreZeroForExactWeightsAndInputs) {
  ThreadPool pool(1);
  Problem problem =
      make_problem({.shape = {.groups = 1, .rows = 2, .columns = 4}, .input_noise = 0});
  problem.layer.grid.scales = {0.5F, 0.25F};
  const Solution solution = round_to_nearest(problem.layer);
  problem.columns.targets.clear();  // the targets become those of the rounded weights
  const std::vector<float> q = dequantized(problem.layer, solution);
  for (std::int64_t output = 0; output < 2; ++output) {
    for (std::int64_t column = 0; column < problem.columns.count; ++column) {
      float sum = problem.layer.bias[output];
      for (std::int64_t k = 0; k < 4; ++k)
        sum += q[output * 4 + k] * problem.columns.inputs[k * problem.columns.count + column];
      problem.columns.targets.push_back(sum);
    }
  }
  const Moments moments = moments_of(problem, pool);
  for (const double error : row_errors(problem.layer, solution, moments, pool))
    EXPECT_NEAR(error, 0, 1e-5);
}

TEST(RelativeError, IsTheErrorDividedByTheEnergy) {
  Moments moments;
  moments.energy = {3, 5};
  EXPECT_EQ(relative_error({1, 1}, moments), 0.25);
  moments.energy = {0, 0};
  EXPECT_EQ(relative_error({0, 0}, moments), 0);
  EXPECT_TRUE(std::isinf(relative_error({1, 0}, moments)));
}

}  // namespace
}  // namespace quantsearch::reconstruction
