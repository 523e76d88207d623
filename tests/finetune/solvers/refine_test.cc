#include "finetune/solvers/refine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "problems.h"

namespace quantsearch::reconstruction {
namespace {

constexpr Activation kRelu = {.kind = Activation::Kind::relu};

/// A layer with one weight of value `value`, scale 1 and no bias.
LayerWeights one_weight(float value) {
  return {.shape = {.groups = 1, .rows = 1, .columns = 1},
          .values = {value},
          .bias = {},
          .grid = {.scales = {1.0F}, .zero_points = {0}, .limits = {-8, 7}}};
}

/// The loss of each row after the activation plus the ridge term, computed value by value.
std::vector<double> slow_losses(const Problem& problem, const Solution& solution,
                                const Activation& activation, double ridge) {
  const LayerShape& shape = problem.layer.shape;
  const std::int64_t k = shape.columns;
  const std::int64_t n = problem.columns.count;
  const auto behind = [&](double y) {
    if (activation.kind == Activation::Kind::clip)
      return std::clamp<double>(y, activation.low, activation.high);
    return activation.kind == Activation::Kind::relu ? std::max(y, 0.0) : y;
  };
  std::vector<double> losses;
  for (std::int64_t row = 0; row < shape.outputs(); ++row) {
    const float* const x = problem.columns.inputs.data() + row / shape.rows * k * n;
    double loss = 0;
    double energy = 0;
    double away = 0;
    for (std::int64_t i = 0; i < k; ++i) {
      const auto at = static_cast<std::size_t>(row * k + i);
      const double value =
          static_cast<double>(solution.codes[at]) * solution.scales[static_cast<std::size_t>(row)];
      away += (value - problem.layer.values[at]) * (value - problem.layer.values[at]);
      for (std::int64_t c = 0; c < n; ++c)
        energy += static_cast<double>(x[i * n + c]) * x[i * n + c];
    }
    for (std::int64_t c = 0; c < n; ++c) {
      double y = solution.bias.empty() ? 0.0 : solution.bias[static_cast<std::size_t>(row)];
      for (std::int64_t i = 0; i < k; ++i) {
        y += static_cast<double>(solution.codes[static_cast<std::size_t>(row * k + i)]) *
             solution.scales[static_cast<std::size_t>(row)] * x[i * n + c];
      }
      const double wanted = problem.columns.targets[static_cast<std::size_t>(row * n + c)];
      loss += std::pow(behind(y) - behind(wanted), 2);
    }
    losses.push_back(loss + ridge * energy / static_cast<double>(k) * away);
  }
  return losses;
}

TEST(Refine, IgnoresValuesThatReluSetsToZero) {
  // Before the activation (2 + 5) / 2 would be best; after it only the first column matters.
  const Columns columns{.count = 2, .inputs = {1, -1}, .targets = {2, -5}};
  ThreadPool pool(1);
  for (const std::int32_t start : {1, 4, 7}) {
    const Solution refined = refine(one_weight(2), {.codes = {start}, .scales = {1}, .bias = {}},
                                    columns, {.activation = kRelu}, pool);
    EXPECT_EQ(refined.codes, std::vector<std::int32_t>{2}) << start;
  }
}

TEST(Refine, StaysInsideTheTypeAndMovesOnlyForASmallerLoss) {
  ThreadPool pool(1);
  const Columns far{.count = 1, .inputs = {1}, .targets = {100}};
  EXPECT_EQ(refine(one_weight(2), {.codes = {2}, .scales = {1}, .bias = {}}, far,
                   {.activation = kRelu}, pool)
                .codes[0],
            7);
  const Columns dead{.count = 1, .inputs = {1}, .targets = {-3}};
  EXPECT_EQ(refine(one_weight(-2), {.codes = {-2}, .scales = {1}, .bias = {}}, dead,
                   {.activation = kRelu}, pool)
                .codes[0],
            -2);
  const Columns unknown{
      .count = 1, .inputs = {1}, .targets = {std::numeric_limits<float>::quiet_NaN()}};
  EXPECT_EQ(refine(one_weight(2), {.codes = {2}, .scales = {1}, .bias = {}}, unknown,
                   {.activation = {}}, pool)
                .codes[0],
            2);
  const Columns none{.count = 0, .inputs = {}, .targets = {}};
  EXPECT_EQ(refine(one_weight(2), {.codes = {2}, .scales = {1}, .bias = {}}, none,
                   {.activation = kRelu}, pool)
                .codes[0],
            2);
}

TEST(Refine, TheBiasBecomesTheMeanOfTheActiveColumns) {
  LayerWeights layer = one_weight(0);
  layer.bias = {1};
  // The input is 0, so no code helps; the targets of the active columns are 3 and 5.
  const Columns columns{.count = 2, .inputs = {0, 0}, .targets = {3, 5}};
  ThreadPool pool(1);
  const Solution refined = refine(layer, {.codes = {0}, .scales = {1}, .bias = {1}}, columns,
                                  {.activation = kRelu}, pool);
  EXPECT_FLOAT_EQ(refined.bias[0], 4);
}

TEST(Refine, LowersEveryRowsLoss) {
  ThreadPool pool(2);
  for (const Activation& activation :
       {kRelu, Activation{.kind = Activation::Kind::clip, .low = 0, .high = 2}}) {
    const Problem problem = make_problem({.shape = {.groups = 2, .rows = 3, .columns = 5}});
    const double ridge = 0.05;
    const Solution start = round_to_nearest(problem.layer);
    const Solution end = refine(problem.layer, start, problem.columns,
                                {.activation = activation, .ridge = ridge, .passes = 50}, pool);
    const std::vector<double> before = slow_losses(problem, start, activation, ridge);
    const std::vector<double> after = slow_losses(problem, end, activation, ridge);
    double all_before = 0;
    double all_after = 0;
    for (std::size_t row = 0; row < after.size(); ++row) {
      EXPECT_LE(after[row], before[row] * (1 + 1e-5));
      all_before += before[row];
      all_after += after[row];
    }
    EXPECT_LT(all_after, 0.95 * all_before);
  }
}

TEST(Refine, ErrorBehindMatchesASlowReference) {
  ThreadPool pool(1);
  const Problem problem = make_problem({.shape = {.groups = 1, .rows = 4, .columns = 6}});
  const Solution solution = round_to_nearest(problem.layer);
  double error = 0;
  for (const double loss : slow_losses(problem, solution, kRelu, 0)) error += loss;
  double energy = 0;
  for (const float target : problem.columns.targets)
    energy += std::pow(std::max(0.0, static_cast<double>(target)), 2);
  EXPECT_NEAR(error_after_activation(problem.layer, solution, problem.columns, kRelu, pool),
              error / energy, 1e-5 * error / energy);
}

TEST(Refine, GivesTheSameBytesForAnyThreadCount) {
  const Problem problem = make_problem({.shape = {.groups = 1, .rows = 37, .columns = 20}});
  const auto run = [&](int threads) {
    ThreadPool pool(threads);
    return refine(problem.layer, round_to_nearest(problem.layer), problem.columns,
                  {.activation = kRelu, .ridge = 0.1, .passes = 3}, pool);
  };
  const Solution one = run(1);
  const Solution two = run(2);
  EXPECT_EQ(one.codes, two.codes);
  EXPECT_EQ(one.bias, two.bias);
}

}  // namespace
}  // namespace quantsearch::reconstruction
