// Tests every solver under the pair constraint (code_pairs.h): all pairs of codes are safe, and the
// other codes compensate for the error of the changed pairs.

#include <gtest/gtest.h>

#include <limits>

#include "finetune/solvers/adaquant.h"
#include "finetune/solvers/adaround.h"
#include "finetune/solvers/bias_correction.h"
#include "finetune/solvers/code_pairs.h"
#include "finetune/solvers/gptq.h"
#include "finetune/solvers/nearest_plane.h"
#include "finetune/solvers/problems.h"
#include "finetune/solvers/refine.h"

namespace quantsearch::reconstruction {
namespace {

/// A layer with 8 bits and scales that clip nothing, in which about one pair in ten exceeds 16
/// bits.
Problem tight_problem(const LayerShape& shape, std::uint64_t seed = 1) {
  Problem problem = make_problem({.shape = shape, .count = 1000, .bits = 8, .seed = seed});
  add_pairs(problem.layer, 255);
  return problem;
}

/// Compares the result of solve(layer) under the constraint with a result that was found without
/// the constraint and made safe afterwards, with the best bias for its codes.
template <typename Solve>
void expect_compensation(const Problem& problem, ThreadPool& pool, const Solve& solve,
                         double share_of_made_safe) {
  const Moments moments = moments_of(problem, pool);
  const LayerWeights free_layer = without_pairs(problem.layer);
  const Solution free = solve(free_layer);
  ASSERT_GT(unsafe_pairs(problem.layer, free.codes), 0);
  Solution afterwards = made_safe(problem.layer, free);
  afterwards.bias = corrected_bias(free_layer, afterwards, moments);
  const Solution ours = solve(problem.layer);
  EXPECT_EQ(unsafe_pairs(problem.layer, ours.codes), 0);
  EXPECT_LT(error_of(problem, ours), share_of_made_safe * error_of(problem, afterwards));

  LayerWeights loose = problem.layer;
  add_pairs(loose, 128);
  const Solution same = solve(loose);
  EXPECT_EQ(same.codes, free.codes);
  EXPECT_EQ(same.scales, free.scales);
  EXPECT_EQ(same.bias, free.bias);
}

TEST(SafePairs, GptqCompensatesAtScalesThatClipNothing) {
  ThreadPool pool(2);
  for (const LayerShape& shape : {LayerShape{1, 16, 73}, {4, 4, 18}, {1, 20, 8}, {1, 3, 200}}) {
    const Problem problem = tight_problem(shape);
    const Moments moments = moments_of(problem, pool);
    for (const int beam : {1, 4}) {
      expect_compensation(
          problem, pool,
          [&](const LayerWeights& layer) {
            return gptq(layer, moments, {.choose_scales = false, .beam = beam}, pool);
          },
          0.25);
    }
  }
}

TEST(SafePairs, GptqChoosesScalesUnderTheConstraint) {
  ThreadPool pool(2);
  for (const bool per_tensor : {false, true}) {
    Problem problem = tight_problem({.groups = 1, .rows = 16, .columns = 72});
    problem.layer.grid.per_tensor = per_tensor;
    if (per_tensor)
      problem.layer.grid.scales.assign(16, *std::ranges::max_element(problem.layer.grid.scales));
    const Moments moments = moments_of(problem, pool);
    const auto error = [&](const LayerWeights& layer, bool choose_scales) {
      const Solution solution = gptq(layer, moments, {.choose_scales = choose_scales}, pool);
      if (!layer.grid.pairs.empty()) {
        EXPECT_EQ(unsafe_pairs(problem.layer, solution.codes), 0);
      }
      return error_of(problem, solution);
    };
    EXPECT_LT(error(problem.layer, true), error(problem.layer, false));
    EXPECT_LT(error(problem.layer, true), 3 * error(without_pairs(problem.layer), true));
  }
}

TEST(SafePairs, GptqIsAsGoodAsWithFreeCodesAtWiderScales) {
  ThreadPool pool(2);
  for (const LayerShape& shape : {LayerShape{1, 16, 73}, {1, 16, 144}, {4, 4, 18}}) {
    Problem problem = tight_problem(shape);
    const Moments moments = moments_of(problem, pool);
    const double free = error_of(problem, gptq(without_pairs(problem.layer), moments, {}, pool));
    for (float& scale : problem.layer.grid.scales) scale *= 1.5F;
    EXPECT_LT(error_of(problem, gptq(problem.layer, moments, {}, pool)), 1.05 * free);
  }
}

TEST(SafePairs, GptqConsidersStoredIntegersIncludingTheirZeroPoints) {
  ThreadPool pool(1);
  Problem problem = tight_problem({.groups = 1, .rows = 4, .columns = 20});
  problem.layer.grid.limits = {-128, 127};
  problem.layer.grid.zero_points = {0, 30, -50, 100};
  for (float& scale : problem.layer.grid.scales) scale *= 1.5F;
  const Solution solution = gptq(problem.layer, moments_of(problem, pool), {}, pool);
  EXPECT_EQ(unsafe_pairs(problem.layer, solution.codes), 0);
}

/// The least error of one row of four codes over all safe codes near those of nearest rounding.
double brute_force_safe_error(const Problem& problem, const Moments& moments, ThreadPool& pool) {
  Solution solution = round_to_nearest(problem.layer);
  const std::vector<std::int32_t> start = solution.codes;
  double least = std::numeric_limits<double>::infinity();
  constexpr int kReach = 5;
  constexpr int kWidth = 2 * kReach + 1;
  for (int at = 0; at < kWidth * kWidth * kWidth * kWidth; ++at) {
    for (int rest = at, input = 0; input < 4; ++input, rest /= kWidth) {
      solution.codes[static_cast<std::size_t>(input)] =
          std::clamp(start[static_cast<std::size_t>(input)] + rest % kWidth - kReach, -127, 127);
    }
    if (unsafe_pairs(problem.layer, solution.codes) > 0) continue;
    solution.bias = corrected_bias(problem.layer, solution, moments);
    least = std::min(least, total(row_errors(problem.layer, solution, moments, pool)));
  }
  return least;
}

TEST(SafePairs, GptqFindsTheBestSafeCodesOfTinyLayers) {
  ThreadPool pool(1);
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const Problem problem = tight_problem({.groups = 1, .rows = 1, .columns = 4}, seed);
    const Moments moments = moments_of(problem, pool);
    const Solution solution =
        gptq(problem.layer, moments, {.ridge = 0.0, .choose_scales = false}, pool);
    EXPECT_EQ(unsafe_pairs(problem.layer, solution.codes), 0);
    const double best = brute_force_safe_error(problem, moments, pool);
    EXPECT_LT(total(row_errors(problem.layer, solution, moments, pool)), 1.02 * best) << seed;
  }
}

TEST(SafePairs, SolversReportTheCostOfTheirCodes) {
  ThreadPool pool(1);
  const Problem problem = tight_problem({.groups = 1, .rows = 9, .columns = 131});
  const Moments moments = moments_of(problem, pool);
  const Lattice lattice = make_lattices(problem.layer, moments, {.ridge = 0.1}, pool, {}).front();
  const std::size_t k = 131;
  std::vector<RowTask> tasks;
  for (std::size_t row = 0; row < 9; ++row) {
    tasks.push_back({.target = std::span(lattice.targets).subspan(row * k, k),
                     .grid = {.scale = problem.layer.grid.scales[row], .low = -127, .high = 127}});
  }
  std::vector<RowResult> results = nearest_plane(lattice, tasks);
  for (std::size_t row = 0; row < 9; ++row) {
    const auto expect_cost = [&](const RowResult& result) {
      double cost = 0;
      for (std::size_t i = 0; i < k; ++i) {
        for (std::size_t j = 0; j < k; ++j) {
          const auto away = [&](std::size_t at) {
            return static_cast<double>(result.points[at]) * tasks[row].grid.scale -
                   tasks[row].target[at];
          };
          cost += away(i) * away(j) * lattice.a[i * k + j];
        }
      }
      EXPECT_NEAR(result.cost, cost, 1e-3 * cost);
      for (std::size_t i = 0; i + 1 < k; ++i) {
        EXPECT_TRUE(is_safe(lattice.pairs[i], result.points[i],
                            result.points[static_cast<std::size_t>(lattice.pairs[i].partner)]));
      }
    };
    expect_cost(results[row]);
    const RowResult beam = k_best(lattice, tasks[row], 8);
    expect_cost(beam);
    EXPECT_LE(beam.cost, 1.02 * results[row].cost);
    const double before = results[row].cost;
    polish(lattice, tasks[row], 3, results[row]);
    expect_cost(results[row]);
    EXPECT_LE(results[row].cost, before);
  }
}

TEST(SafePairs, RefineMovesToSafeCodesOnly) {
  ThreadPool pool(2);
  const Problem problem = tight_problem({.groups = 2, .rows = 5, .columns = 21});
  const Solution start = round_to_nearest(problem.layer);
  const RefineOptions options = {.activation = {.kind = Activation::Kind::relu}, .passes = 5};
  const Solution end = refine(problem.layer, start, problem.columns, options, pool);
  EXPECT_EQ(unsafe_pairs(problem.layer, end.codes), 0);
  EXPECT_LT(error_after_activation(problem.layer, end, problem.columns, options.activation, pool),
            0.5 * error_after_activation(problem.layer, start, problem.columns, options.activation,
                                         pool));
}

TEST(SafePairs, AdaRoundCompensatesForSafePairs) {
  ThreadPool pool(2);
  const Problem problem = tight_problem({.groups = 2, .rows = 6, .columns = 20});
  const SplitSamples samples(problem, 10);
  expect_compensation(
      problem, pool,
      [&](const LayerWeights& layer) {
        return adaround(layer, samples, {.descent = {.iterations = 400, .learning_rate = 0.02}},
                        pool)
            .solution;
      },
      1.0);
}

TEST(SafePairs, AdaQuantCompensatesForSafePairs) {
  ThreadPool pool(2);
  const Problem problem = tight_problem({.groups = 2, .rows = 6, .columns = 20});
  const SplitSamples samples(problem, 10);
  expect_compensation(
      problem, pool,
      [&](const LayerWeights& layer) {
        return adaquant(layer, samples, {.descent = {.iterations = 800, .learning_rate = 2e-3}},
                        pool)
            .solution;
      },
      0.5);
}

TEST(SafePairs, GiveTheSameBytesForAnyThreadCount) {
  const Problem problem = tight_problem({.groups = 2, .rows = 70, .columns = 19});
  const auto run = [&](int threads) {
    ThreadPool pool(threads);
    return gptq(problem.layer, moments_of(problem, pool), {}, pool).codes;
  };
  EXPECT_EQ(run(1), run(3));
}

}  // namespace
}  // namespace quantsearch::reconstruction
