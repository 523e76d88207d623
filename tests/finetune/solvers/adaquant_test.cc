#include "finetune/solvers/adaquant.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "finetune/solvers/problems.h"

namespace quantsearch::reconstruction {
namespace {

AdaQuantOptions quick_adaquant() {
  return {.descent = {.iterations = 1000, .learning_rate = 1e-5, .batch_size = 4, .seed = 7}};
}

TEST(AdaQuant, LowersTheErrorOfItsCodes) {
  ThreadPool pool(2);
  for (const bool update_bias : {false, true}) {
    const Problem problem = small_problem();
    AdaQuantOptions options = quick_adaquant();
    options.update_bias = update_bias;
    const DescentResult result = adaquant(problem.layer, SplitSamples(problem, 40), options, pool);
    EXPECT_LT(result.error_after, 0.8 * result.error_before);
    EXPECT_EQ(result.solution.bias == problem.layer.bias, !update_bias);
  }
}

TEST(AdaQuant, OnMomentsLowersTheError) {
  ThreadPool pool(2);
  for (const bool update_bias : {false, true}) {
    const Problem problem = small_problem();
    AdaQuantOptions options = quick_adaquant();
    options.update_bias = update_bias;
    const DescentResult result = adaquant(problem.layer, moments_of(problem, pool), options, pool);
    EXPECT_LT(result.error_after, 0.8 * result.error_before);
    EXPECT_EQ(result.solution.bias == problem.layer.bias, !update_bias);
  }
}

TEST(AdaQuant, AddsNoBiasToALayerWithoutOne) {
  ThreadPool pool(1);
  const Problem problem = small_problem(false);
  AdaQuantOptions options = quick_adaquant();
  options.update_bias = true;
  const DescentResult result = adaquant(problem.layer, SplitSamples(problem, 40), options, pool);
  EXPECT_TRUE(result.solution.bias.empty());
  EXPECT_LT(result.error_after, result.error_before);
}

TEST(AdaQuant, MayMoveAWeightByMoreThanOneStep) {
  ThreadPool pool(1);
  const Problem problem = make_problem({.shape = {.groups = 1, .rows = 12, .columns = 30},
                                        .count = 1600,
                                        .bits = 8,
                                        .input_noise = 0.4F});
  AdaQuantOptions options = quick_adaquant();
  options.descent.learning_rate = 0.01;
  const DescentResult result = adaquant(problem.layer, SplitSamples(problem, 40), options, pool);
  const std::vector<std::int32_t> nearest = round_to_nearest(problem.layer).codes;
  std::int32_t furthest = 0;
  for (std::size_t at = 0; at < nearest.size(); ++at) {
    furthest = std::max(furthest, std::abs(result.solution.codes[at] - nearest[at]));
  }
  EXPECT_GT(furthest, 1);
}

TEST(AdaQuant, GivesTheSameBytesForAnyThreadCount) {
  ThreadPool one(1);
  ThreadPool three(3);
  const Problem problem =
      make_problem({.shape = {.groups = 3, .rows = 9, .columns = 20}, .count = 400});
  AdaQuantOptions options = quick_adaquant();
  options.update_bias = true;
  options.descent.iterations = 60;
  const DescentResult first = adaquant(problem.layer, SplitSamples(problem, 10), options, one);
  const DescentResult second = adaquant(problem.layer, SplitSamples(problem, 10), options, three);
  EXPECT_EQ(first.solution.codes, second.solution.codes);
  EXPECT_EQ(first.solution.bias, second.solution.bias);
}

}  // namespace
}  // namespace quantsearch::reconstruction
