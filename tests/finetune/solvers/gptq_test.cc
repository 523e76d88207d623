#include "finetune/solvers/gptq.h"

#include <gtest/gtest.h>

#include <cmath>

#include "finetune/solvers/bias_correction.h"
#include "finetune/solvers/problems.h"
#include "quantsearch/base/error.h"

namespace quantsearch::reconstruction {
namespace {

/// The least error of one row with the grid's scale and the best bias, over all codes.
double brute_force_error(const Problem& problem, const Moments& moments, ThreadPool& pool) {
  const auto low = static_cast<std::int32_t>(problem.layer.grid.limits.low);
  const auto high = static_cast<std::int32_t>(problem.layer.grid.limits.high);
  Solution solution = round_to_nearest(problem.layer);
  solution.codes.assign(solution.codes.size(), low);
  double least = 1e30;
  while (true) {
    solution.bias = corrected_bias(problem.layer, solution, moments);
    least = std::min(least, total(row_errors(problem.layer, solution, moments, pool)));
    std::size_t at = 0;
    while (at < solution.codes.size() && solution.codes[at] == high) solution.codes[at++] = low;
    if (at == solution.codes.size()) return least;
    ++solution.codes[at];
  }
}

TEST(Gptq, FindsTheBestCodesOfTinyLayers) {
  ThreadPool pool(2);
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const Problem problem = make_problem({.shape = {.groups = 1, .rows = 1, .columns = 4},
                                          .bits = 3,
                                          .input_noise = 0.3F,
                                          .seed = seed});
    const Moments moments = moments_of(problem, pool);
    const Solution solution =
        gptq(problem.layer, moments, {.ridge = 0.0, .choose_scales = false}, pool);
    const double best = brute_force_error(problem, moments, pool);
    EXPECT_NEAR(total(row_errors(problem.layer, solution, moments, pool)), best, 1e-4 * best)
        << seed;
  }
}

TEST(Gptq, HasAMuchSmallerErrorThanNearestRounding) {
  ThreadPool pool(2);
  for (const LayerShape& shape : {LayerShape{1, 16, 72}, {4, 4, 18}, {8, 1, 9}}) {
    const Problem problem = make_problem({.shape = shape, .count = 2000, .input_noise = 0.1F});
    const Solution solution = gptq(problem.layer, moments_of(problem, pool), {}, pool);
    EXPECT_LT(error_of(problem, solution),
              0.6 * error_of(problem, round_to_nearest(problem.layer)));
  }
}

TEST(Gptq, NoRowIsWorseThanNearestRounding) {
  ThreadPool pool(1);
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    for (const int bits : {2, 4, 8}) {
      // With as few columns as inputs the ridge is large.
      const Problem problem = make_problem({.shape = {.groups = 2, .rows = 5, .columns = 12},
                                            .count = 12,
                                            .bits = bits,
                                            .seed = seed});
      const Moments moments = moments_of(problem, pool);
      const Solution solution = gptq(problem.layer, moments, {}, pool);
      const std::vector<double> ours = row_errors(problem.layer, solution, moments, pool);
      const std::vector<double> nearest =
          row_errors(problem.layer, round_to_nearest(problem.layer), moments, pool);
      for (std::size_t output = 0; output < ours.size(); ++output) {
        ASSERT_LE(ours[output], nearest[output] + 1e-6 * moments.energy[output]);
      }
    }
  }
}

TEST(Gptq, StaysOnTheGrid) {
  ThreadPool pool(1);
  Problem problem = make_problem({.shape = {.groups = 1, .rows = 6, .columns = 20}, .bits = 3});
  problem.layer.grid.limits = {-4, 3};
  problem.layer.grid.zero_points = {0, 1, -1, 2, -4, 3};
  const Solution solution = gptq(problem.layer, moments_of(problem, pool), {}, pool);
  for (const std::int32_t code : solution.codes) {
    EXPECT_GE(code, -4);
    EXPECT_LE(code, 3);
  }
}

TEST(Gptq, KeepsScalesWithoutChooseScales) {
  ThreadPool pool(1);
  const Problem problem =
      make_problem({.shape = {.groups = 1, .rows = 6, .columns = 20}, .bits = 3});
  const Moments moments = moments_of(problem, pool);
  const Solution fixed = gptq(problem.layer, moments, {.choose_scales = false}, pool);
  EXPECT_EQ(fixed.scales, problem.layer.grid.scales);
  const Solution chosen = gptq(problem.layer, moments, {}, pool);
  EXPECT_NE(chosen.scales, problem.layer.grid.scales);
  EXPECT_LT(error_of(problem, chosen), error_of(problem, fixed));
}

TEST(Gptq, GivesAPerTensorLayerOneScale) {
  ThreadPool pool(1);
  for (const LayerShape& shape : {LayerShape{1, 6, 20}, {5, 1, 9}}) {
    Problem problem = make_problem({.shape = shape, .bits = 3});
    problem.layer.grid.per_tensor = true;
    problem.layer.grid.scales.assign(problem.layer.grid.scales.size(), 2.0F);
    const Solution solution = gptq(problem.layer, moments_of(problem, pool), {}, pool);
    EXPECT_EQ(solution.scales, std::vector<float>(solution.scales.size(), solution.scales.front()));
    EXPECT_LT(error_of(problem, solution), error_of(problem, round_to_nearest(problem.layer)));
  }
}

TEST(Gptq, ChangesPowerOfTwoScalesByPowersOfTwo) {
  ThreadPool pool(1);
  Problem problem = make_problem({.shape = {.groups = 1, .rows = 8, .columns = 20}, .bits = 4});
  problem.layer.grid.freedom = ScaleFreedom::powers_of_two;
  for (float& scale : problem.layer.grid.scales) scale = 2.0F;
  const Solution solution = gptq(problem.layer, moments_of(problem, pool), {}, pool);
  int moved = 0;
  for (const float scale : solution.scales) {
    EXPECT_TRUE(scale == 1.0F || scale == 2.0F || scale == 4.0F) << scale;
    moved += scale == 1.0F ? 1 : 0;
  }
  EXPECT_GT(moved, 0);
}

TEST(Gptq, KeepsTheBiasUnderKeep) {
  ThreadPool pool(1);
  const Problem problem =
      make_problem({.shape = {.groups = 1, .rows = 3, .columns = 20}, .bits = 3});
  const Moments moments = moments_of(problem, pool);
  const Solution kept = gptq(problem.layer, moments, {.bias = BiasUpdate::keep}, pool);
  EXPECT_EQ(kept.bias, problem.layer.bias);
  EXPECT_LT(error_of(problem, kept), error_of(problem, round_to_nearest(problem.layer)));
  const Solution updated = gptq(problem.layer, moments, {}, pool);
  EXPECT_EQ(updated.bias, corrected_bias(problem.layer, updated, moments));
  EXPECT_LT(error_of(problem, updated), error_of(problem, kept));
}

TEST(Gptq, AddsABiasOnlyUnderMake) {
  ThreadPool pool(1);
  const Problem problem =
      make_problem({.shape = {.groups = 1, .rows = 3, .columns = 20}, .bits = 3, .bias = false});
  const Moments moments = moments_of(problem, pool);
  const Solution without = gptq(problem.layer, moments, {.ridge = 0.01}, pool);
  EXPECT_TRUE(without.bias.empty());
  const Solution made =
      gptq(problem.layer, moments, {.ridge = 0.01, .bias = BiasUpdate::make}, pool);
  EXPECT_EQ(made.bias.size(), 3U);
  EXPECT_LT(error_of(problem, made), error_of(problem, without));
}

TEST(Gptq, RoundsWeightsOfZeroInputsToNearest) {
  ThreadPool pool(1);
  Problem problem = make_problem({.shape = {.groups = 1, .rows = 2, .columns = 5}, .count = 100});
  std::fill_n(problem.columns.inputs.begin() + 200, 100, 0.0F);  // input 2
  for (const BiasUpdate bias : {BiasUpdate::keep, BiasUpdate::update}) {
    const Solution solution = gptq(problem.layer, moments_of(problem, pool),
                                   {.bias = bias, .choose_scales = false}, pool);
    const Solution nearest = round_to_nearest(problem.layer);
    EXPECT_EQ(solution.codes[2], nearest.codes[2]);
    EXPECT_EQ(solution.codes[7], nearest.codes[7]);
  }
}

TEST(Gptq, ChangesOnlyTheBiasForConstantInputs) {
  ThreadPool pool(1);
  Problem problem = make_problem({.shape = {.groups = 1, .rows = 2, .columns = 3}, .count = 50});
  std::ranges::fill(problem.columns.inputs, 0.7F);
  const Solution solution = gptq(problem.layer, moments_of(problem, pool), {}, pool);
  EXPECT_EQ(solution.codes, round_to_nearest(problem.layer).codes);
  EXPECT_LE(error_of(problem, solution), error_of(problem, round_to_nearest(problem.layer)));
}

TEST(Gptq, EqualsNearestRoundingWithoutColumns) {
  ThreadPool pool(1);
  const Problem problem = make_problem({.shape = {.groups = 1, .rows = 2, .columns = 3}});
  const Moments nothing = MomentsAccumulator(problem.layer.shape).moments();
  EXPECT_EQ(gptq(problem.layer, nothing, {}, pool).codes, round_to_nearest(problem.layer).codes);
}

TEST(Gptq, HandlesFewerColumnsThanInputsWithoutARidge) {
  ThreadPool pool(1);
  const Problem problem =
      make_problem({.shape = {.groups = 1, .rows = 2, .columns = 40}, .count = 5});
  const Solution solution = gptq(problem.layer, moments_of(problem, pool), {.ridge = 0.0}, pool);
  EXPECT_LE(error_of(problem, solution), error_of(problem, round_to_nearest(problem.layer)));
}

TEST(Gptq, AWiderBeamHasASmallerError) {
  ThreadPool pool(1);
  const Problem problem =
      make_problem({.shape = {.groups = 1, .rows = 12, .columns = 50}, .count = 2000});
  const Moments moments = moments_of(problem, pool);
  EXPECT_LT(error_of(problem, gptq(problem.layer, moments, {.beam = 16}, pool)),
            error_of(problem, gptq(problem.layer, moments, {}, pool)));
}

TEST(Gptq, GivesTheSameBytesForAnyThreadCount) {
  ThreadPool one(1);
  ThreadPool three(3);
  for (const LayerShape& shape : {LayerShape{1, 80, 70}, {20, 1, 9}, {3, 4, 40}}) {
    for (const bool per_tensor : {false, true}) {
      Problem problem = make_problem({.shape = shape, .bits = 4});
      problem.layer.grid.per_tensor = per_tensor;
      if (per_tensor) problem.layer.grid.scales.assign(problem.layer.grid.scales.size(), 0.5F);
      const Moments moments = moments_of(problem, one);
      const Solution first = gptq(problem.layer, moments, {.beam = 2}, one);
      const Solution second = gptq(problem.layer, moments, {.beam = 2}, three);
      EXPECT_EQ(first.codes, second.codes);
      EXPECT_EQ(first.scales, second.scales);
      EXPECT_EQ(first.bias, second.bias);
    }
  }
}

TEST(Gptq, RejectsOptionsOutOfBounds) {
  ThreadPool pool(1);
  const Problem problem = make_problem({.shape = {.groups = 1, .rows = 1, .columns = 2}});
  const Moments moments = moments_of(problem, pool);
  const auto message = [&](const GptqOptions& options) {
    try {
      (void)gptq(problem.layer, moments, options, pool);
    } catch (const InvalidInput& error) {
      return std::string(error.what());
    }
    return std::string("nothing thrown");
  };
  EXPECT_EQ(message({.ridge = -1.0}),
            "finetune: a ridge of -1, expected a finite number that is not negative");
  EXPECT_EQ(message({.beam = 0}), "finetune: a beam of 0, expected 1 to 1024");
  EXPECT_EQ(message({.small_beam = 2000}), "finetune: a beam of 2000, expected 1 to 1024");
  EXPECT_EQ(message({.polish_passes = -1}), "finetune: -1 polishing passes, expected 0 or more");
  EXPECT_EQ(message({.scale_factors = {0.0}}),
            "finetune: a scale factor of 0, expected a finite number above 0");
}

}  // namespace
}  // namespace quantsearch::reconstruction
