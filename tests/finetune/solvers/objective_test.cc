#include "finetune/solvers/objective.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "finetune/solvers/problems.h"

namespace quantsearch::reconstruction {
namespace {

std::vector<LayerShape> objective_shapes() {
  return {{1, 3, 5}, {1, 20, 6}, {1, 70, 4}, {9, 1, 9}, {3, 4, 7}, {2, 11, 3}};
}

/// The squared error, after a Relu if `relu`, averaged over columns and summed over outputs, in
/// double.
double slow_loss(const Problem& problem, const std::vector<float>& weights,
                 const std::vector<float>& bias, bool relu) {
  const LayerShape& shape = problem.layer.shape;
  const std::int64_t n = problem.columns.count;
  double total = 0;
  for (std::int64_t output = 0; output < shape.outputs(); ++output) {
    for (std::int64_t column = 0; column < n; ++column) {
      double y = bias.empty() ? 0.0 : bias[output];
      for (std::int64_t k = 0; k < shape.columns; ++k) {
        y += static_cast<double>(weights[output * shape.columns + k]) *
             problem.columns.inputs[(output / shape.rows * shape.columns + k) * n + column];
      }
      double t = problem.columns.targets[output * n + column];
      if (relu) {
        y = std::max(y, 0.0);
        t = std::max(t, 0.0);
      }
      total += (y - t) * (y - t);
    }
  }
  return total / static_cast<double>(n);
}

struct Gradients {
  std::vector<float> by_weights;
  std::vector<float> by_bias;
};

Gradients gradients(Objective& objective, const Problem& problem,
                    const std::vector<float>& weights) {
  const LayerShape& shape = problem.layer.shape;
  const std::vector<float>& bias = problem.layer.bias;
  Gradients all{.by_weights = std::vector<float>(weights.size()),
                .by_bias = std::vector<float>(static_cast<std::size_t>(shape.outputs()))};
  std::vector<float> scratch;
  objective.prepare(0, 1);
  for (const OutputBlock& block : output_blocks(shape)) {
    const std::int64_t first = block.first * shape.columns;
    objective.gradient(0, block, weights.data() + first,
                       bias.empty() ? nullptr : bias.data() + block.first, scratch,
                       all.by_weights.data() + first,
                       bias.empty() ? nullptr : all.by_bias.data() + block.first);
  }
  return all;
}

void expect_differences(const Problem& problem, const Gradients& made,
                        const std::vector<float>& weights, bool relu) {
  const float by = 1e-2F;
  const double scale = std::sqrt(slow_loss(problem, weights, problem.layer.bias, relu) + 1);
  for (std::size_t at = 0; at < weights.size(); at += 3) {
    std::vector<float> more = weights;
    std::vector<float> less = weights;
    more[at] += by;
    less[at] -= by;
    const double expected = (slow_loss(problem, more, problem.layer.bias, relu) -
                             slow_loss(problem, less, problem.layer.bias, relu)) /
                            (static_cast<double>(more[at]) - less[at]);
    ASSERT_NEAR(made.by_weights[at], expected, (relu ? 3e-2 : 1e-3) * scale) << at;
  }
  for (std::size_t output = 0; output < problem.layer.bias.size(); ++output) {
    std::vector<float> more = problem.layer.bias;
    std::vector<float> less = problem.layer.bias;
    more[output] += by;
    less[output] -= by;
    const double expected =
        (slow_loss(problem, weights, more, relu) - slow_loss(problem, weights, less, relu)) /
        (static_cast<double>(more[output]) - less[output]);
    ASSERT_NEAR(made.by_bias[output], expected, (relu ? 3e-2 : 1e-3) * scale) << output;
  }
}

TEST(OutputBlocks, CoverEveryOutputOnceInOrder) {
  for (const LayerShape& shape : objective_shapes()) {
    std::int64_t next = 0;
    for (const OutputBlock& block : output_blocks(shape)) {
      EXPECT_EQ(block.first, next);
      EXPECT_GT(block.count, 0);
      next += block.count;
    }
    EXPECT_EQ(next, shape.outputs());
  }
}

TEST(SampledObjective, GradientIsTheDerivative) {
  ThreadPool pool(2);
  for (const LayerShape& shape : objective_shapes()) {
    for (const bool relu : {false, true}) {
      const Problem problem = make_problem({.shape = shape, .count = 60, .input_noise = 0.3F});
      const SplitSamples samples(problem, 6);
      DescentOptions options{.batch_size = 6};
      if (relu) options.loss.activation.kind = Activation::Kind::relu;
      const auto objective = sampled_objective(problem.layer, samples, options, pool, {});
      const std::vector<float> weights =
          dequantized(problem.layer, round_to_nearest(problem.layer));
      expect_differences(problem, gradients(*objective, problem, weights), weights, relu);
    }
  }
}

TEST(MomentsObjective, GradientIsTheDerivative) {
  ThreadPool pool(2);
  for (const LayerShape& shape : objective_shapes()) {
    for (const bool bias : {false, true}) {
      const Problem problem =
          make_problem({.shape = shape, .count = 60, .bias = bias, .input_noise = 0.3F});
      const Moments moments = moments_of(problem, pool);
      const auto objective = moments_objective(problem.layer, moments, pool);
      const std::vector<float> weights =
          dequantized(problem.layer, round_to_nearest(problem.layer));
      expect_differences(problem, gradients(*objective, problem, weights), weights, false);
    }
  }
}

TEST(SampledObjective, PreparesSeveralStepsAndDrawsEachSampleOnce) {
  ThreadPool pool(1);
  const Problem problem =
      make_problem({.shape = {.groups = 1, .rows = 2, .columns = 3}, .count = 40});

  class Recording final : public LayerSamples {
   public:
    explicit Recording(const SplitSamples& samples) : samples_(samples) {}
    [[nodiscard]] std::int64_t count() const override { return samples_.count(); }
    [[nodiscard]] const Columns& read(const std::vector<std::int64_t>& samples, std::uint64_t seed,
                                      Columns& own) const override {
      seen.push_back(samples);
      return samples_.read(samples, seed, own);
    }
    mutable std::vector<std::vector<std::int64_t>> seen;

   private:
    const SplitSamples& samples_;
  };

  const SplitSamples split(problem, 10);
  const Recording samples(split);
  const auto objective =
      sampled_objective(problem.layer, samples, {.batch_size = 4, .seed = 5}, pool, {});
  EXPECT_EQ(objective->prepare(0, 100), 1);
  EXPECT_GT(objective->prepare(1, 99), 1);
  std::vector<int> draws(10);
  for (std::vector<std::int64_t> batch : samples.seen) {
    ASSERT_EQ(batch.size(), 4U);
    for (const std::int64_t sample : batch) ++draws[sample];
    std::ranges::sort(batch);
    EXPECT_TRUE(std::ranges::adjacent_find(batch) == batch.end());
  }
  for (const int count : draws) EXPECT_GT(count, 0);
}

TEST(SampledObjective, ErrorMatchesTheMomentsWithoutActivation) {
  ThreadPool pool(2);
  for (const LayerShape& shape : objective_shapes()) {
    const Problem problem = make_problem({.shape = shape, .count = 80});
    const Moments moments = moments_of(problem, pool);
    const SplitSamples samples(problem, 8);
    const DescentOptions options;
    const Solution solution = round_to_nearest(problem.layer);
    const double sampled =
        sampled_objective(problem.layer, samples, options, pool, {})->error(solution);
    const double from_moments = moments_objective(problem.layer, moments, pool)->error(solution);
    EXPECT_NEAR(sampled, from_moments, 1e-4 * from_moments + 1e-6);
  }
}

}  // namespace
}  // namespace quantsearch::reconstruction
