#include "finetune/solvers/bias_correction.h"

#include <gtest/gtest.h>

#include <numeric>

#include "finetune/solvers/problems.h"

namespace quantsearch::reconstruction {
namespace {

TEST(BiasCorrection, MatchesHandValues) {
  // q is 2 * 0.5 = 1 and -1 * 0.5, the means of x are 3 and 4 and the mean of y is 7, so
  // b = 7 - (3 - 2).
  const LayerWeights layer{.shape = {.groups = 1, .rows = 1, .columns = 2},
                           .values = {1, -0.5F},
                           .bias = {0},
                           .grid = {.scales = {0.5F}, .zero_points = {0}, .limits = {-7, 7}}};
  Moments moments;
  moments.input_mean = {3, 4};
  moments.output_mean = {7};
  EXPECT_EQ(corrected_bias(layer, {.codes = {2, -1}, .scales = {0.5F}, .bias = {0}}, moments),
            std::vector<float>{6});
}

TEST(BiasCorrection, HasTheLeastErrorForTheCodes) {
  ThreadPool pool(1);
  const Problem problem =
      make_problem({.shape = {.groups = 2, .rows = 3, .columns = 4}, .bits = 3});
  const Moments moments = moments_of(problem, pool);
  Solution solution = round_to_nearest(problem.layer);
  solution.bias = corrected_bias(problem.layer, solution, moments);
  const std::vector<double> least = slow_row_errors(problem, solution);
  for (const float by : {-0.01F, 0.01F}) {
    Solution moved = solution;
    for (float& value : moved.bias) value += by;
    const std::vector<double> errors = slow_row_errors(problem, moved);
    for (std::size_t output = 0; output < errors.size(); ++output)
      EXPECT_GT(errors[output], least[output]);
  }
}

}  // namespace
}  // namespace quantsearch::reconstruction
