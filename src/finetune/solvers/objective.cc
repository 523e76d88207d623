#include "finetune/solvers/objective.h"

#include <algorithm>

#include "finetune/solvers/linear_algebra.h"
#include "finetune/solvers/moments.h"
#include "quantsearch/base/random.h"
#include "quantsearch/internal/base/sizes.h"

namespace quantsearch::reconstruction {

namespace {

// Steps whose columns are held at once, so that workers synchronize once for all of them.
constexpr std::int64_t kMostSteps = 16;
constexpr std::int64_t kColumnBytes = std::int64_t{32} << 20;

/// The columns of one step, which are its own or kept ones.
struct StepColumns {
  Columns own;
  const Columns* used = nullptr;
};

class SampledObjective final : public Objective {
 public:
  SampledObjective(const LayerWeights& layer, const LayerSamples& samples,
                   const DescentOptions& options, ThreadPool& pool, const CancellationToken& token)
      : layer_(layer),
        samples_(samples),
        options_(options),
        pool_(pool),
        token_(token),
        steps_(kMostSteps) {}

  std::int64_t prepare(std::int64_t first, std::int64_t count) override {
    const std::int64_t chunk = std::min({count, kMostSteps, affordable_});
    pool_.parallel_for(
        chunk, [&](std::int64_t index, int) { read_step(first + index, steps_[to_size(index)]); },
        token_);
    first_ = first;
    std::int64_t largest = 1;
    for (std::int64_t index = 0; index < chunk; ++index)
      largest = std::max(largest, steps_[to_size(index)].used->count);
    const std::int64_t bytes =
        largest * static_cast<std::int64_t>(sizeof(float)) *
        (layer_.shape.groups * layer_.shape.columns + layer_.shape.outputs());
    affordable_ = std::clamp<std::int64_t>(kColumnBytes / bytes, 1, kMostSteps);
    return chunk;
  }

  void gradient(std::int64_t step, const OutputBlock& block, const float* weights,
                const float* bias, std::vector<float>& scratch, float* by_weights,
                float* by_bias) const override {
    const Columns& columns = *steps_[to_size(step - first_)].used;
    const std::int64_t k = layer_.shape.columns;
    const std::int64_t n = columns.count;
    scratch.resize(to_size(block.count * n));
    block_outputs(layer_.shape, block, weights, bias, columns, scratch.data());
    loss_gradient(options_.loss, scratch.data(), columns.targets.data() + block.first * n,
                  block.count * n, 1.0F / static_cast<float>(n), scratch.data());
    std::fill_n(by_weights, block.count * k, 0.0F);
    over_groups(layer_.shape, block, [&](std::int64_t group, std::int64_t row, std::int64_t rows) {
      add_product_transposed(matrix(std::as_const(scratch).data() + row * n, rows, n),
                             matrix(columns.inputs.data() + group * k * n, k, n),
                             matrix(by_weights + row * k, rows, k));
    });
    if (by_bias == nullptr) return;
    for (std::int64_t row = 0; row < block.count; ++row) {
      double sum = 0;
      for (std::int64_t at = row * n; at < (row + 1) * n; ++at) sum += scratch[to_size(at)];
      by_bias[row] = static_cast<float>(sum);
    }
  }

  double error(const Solution& solution) const override {
    const std::vector<float> values = dequantized(layer_, solution);
    const std::int64_t looked_at = std::min(options_.error_samples, samples_.count());
    std::vector<ErrorSums> sums(to_size(looked_at));
    pool_.parallel_for(
        looked_at,
        [&](std::int64_t index, int) {
          // The samples are spread evenly, each at most once.
          const std::int64_t sample = index * samples_.count() / looked_at;
          sums[to_size(index)] = sample_error(sample, values, solution.bias);
        },
        token_);
    return relative_error(sums);
  }

 private:
  /// Reads random samples without repetition, distributed like the first of a random permutation.
  void read_step(std::int64_t step, StepColumns& columns) const {
    RandomStream random(options_.seed, step, "reconstruction batch");
    std::vector<std::int64_t> chosen;
    while (static_cast<std::int64_t>(chosen.size()) < options_.batch_size) {
      // Floyd's algorithm for a random set: position j gets a random number up to j, or j itself
      // when that number is taken.
      const std::int64_t last =
          samples_.count() - options_.batch_size + static_cast<std::int64_t>(chosen.size());
      const auto sample =
          static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(last + 1)));
      chosen.push_back(std::ranges::find(chosen, sample) == chosen.end() ? sample : last);
    }
    columns.used = &samples_.read(chosen, random.next(), columns.own);
  }

  [[nodiscard]] ErrorSums sample_error(std::int64_t sample, const std::vector<float>& values,
                                       const std::vector<float>& bias) const {
    const LayerShape& shape = layer_.shape;
    Columns own;
    const Columns& columns = samples_.read({sample}, options_.seed, own);
    const std::int64_t n = columns.count;
    std::vector<float> outputs(to_size(shape.outputs() * n));
    block_outputs(shape, all_outputs(shape), values.data(), bias.empty() ? nullptr : bias.data(),
                  columns, outputs.data());
    return error_sums(options_.loss, outputs.data(), columns.targets.data(), shape.outputs() * n);
  }

  const LayerWeights& layer_;
  const LayerSamples& samples_;
  DescentOptions options_;
  ThreadPool& pool_;
  CancellationToken token_;
  std::vector<StepColumns> steps_;
  std::int64_t first_ = 0;
  std::int64_t affordable_ = 1;  // steps held at once; computed from the size of the first
};

/// The sum over all rows of J = w H w' - 2 w c' + f + 2 b (w mx - my) + b^2.
class MomentsObjective final : public Objective {
 public:
  MomentsObjective(const LayerWeights& layer, const Moments& moments, ThreadPool& pool)
      : layer_(layer),
        moments_(moments),
        pool_(pool),
        double_h_(moments.h.size()),
        double_c_(moments.c.size()) {
    std::ranges::transform(moments.h, double_h_.begin(),
                           [](double value) { return static_cast<float>(2 * value); });
    std::ranges::transform(moments.c, double_c_.begin(),
                           [](double value) { return static_cast<float>(2 * value); });
  }

  std::int64_t prepare(std::int64_t, std::int64_t count) override { return count; }

  void gradient(std::int64_t, const OutputBlock& block, const float* weights, const float* bias,
                std::vector<float>&, float* by_weights, float* by_bias) const override {
    const std::int64_t k = layer_.shape.columns;
    over_groups(
        layer_.shape, block, [&](std::int64_t group, std::int64_t first, std::int64_t rows) {
          const double* const mean = moments_.input_mean.data() + group * k;
          for (std::int64_t row = first; row < first + rows; ++row) {
            const double offset = bias == nullptr ? 0.0 : 2.0 * bias[row];
            for (std::int64_t input = 0; input < k; ++input) {
              by_weights[row * k + input] = static_cast<float>(
                  offset * mean[input] - double_c_[to_size((block.first + row) * k + input)]);
            }
            if (by_bias == nullptr) continue;
            double made = bias[row] - moments_.output_mean[to_size(block.first + row)];
            for (std::int64_t input = 0; input < k; ++input)
              made += weights[row * k + input] * mean[input];
            by_bias[row] = static_cast<float>(2 * made);
          }
          add_product(matrix(weights + first * k, rows, k),
                      matrix(double_h_.data() + group * k * k, k, k),
                      matrix(by_weights + first * k, rows, k));
        });
  }

  double error(const Solution& solution) const override {
    return relative_error(row_errors(layer_, solution, moments_, pool_), moments_);
  }

 private:
  const LayerWeights& layer_;
  const Moments& moments_;
  ThreadPool& pool_;
  std::vector<float> double_h_;  // 2 H
  std::vector<float> double_c_;  // 2 c
};

}  // namespace

std::unique_ptr<Objective> sampled_objective(const LayerWeights& layer, const LayerSamples& samples,
                                             const DescentOptions& options, ThreadPool& pool,
                                             const CancellationToken& token) {
  return std::make_unique<SampledObjective>(layer, samples, options, pool, token);
}

std::unique_ptr<Objective> moments_objective(const LayerWeights& layer, const Moments& moments,
                                             ThreadPool& pool) {
  return std::make_unique<MomentsObjective>(layer, moments, pool);
}

}  // namespace quantsearch::reconstruction
