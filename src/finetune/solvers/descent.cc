#include "finetune/solvers/descent.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "finetune/solvers/moments.h"
#include "finetune/solvers/objective.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/sizes.h"

namespace quantsearch::reconstruction {

namespace {

void require_valid(const DescentOptions& options, const DescentPlan& plan) {
  const auto require = [](bool holds, std::string_view name, double got,
                          std::string_view expected) {
    if (!holds)
      throw InvalidInput(fmt::format("finetune: {} is {}, expected {}", name, got, expected));
  };
  require(options.iterations >= 1, "NumIterations", static_cast<double>(options.iterations),
          "1 or more");
  require(options.learning_rate > 0 && std::isfinite(options.learning_rate), "LearningRate",
          options.learning_rate, "a finite number above 0");
  require(options.window >= 0, "the early stop's window", static_cast<double>(options.window),
          "0 or more steps");
  require(options.patience >= 1, "the early stop's patience", static_cast<double>(options.patience),
          "1 or more");
  require(options.error_samples >= 1, "the number of samples errors are measured on",
          static_cast<double>(options.error_samples), "1 or more");
  require(plan.regularization >= 0 && std::isfinite(plan.regularization), "RegParam",
          plan.regularization, "a finite number that is not negative");
  for (const double beta : {plan.beta_start, plan.beta_end}) {
    require(beta >= 1 && std::isfinite(beta), "an end of BetaRange", beta,
            "a finite number of at least 1");
  }
  require(plan.warm_start >= 0 && plan.warm_start <= 1, "WarmStart", plan.warm_start, "0 to 1");
}

/// The rates of a step; `step` counts from 0.
StepRates rates_of(std::int64_t step, const DescentPlan& plan, const DescentOptions& options) {
  const auto all = static_cast<double>(options.iterations);
  const auto now = static_cast<double>(step);
  double rate = options.learning_rate;
  if (options.schedule == LearningSchedule::cosine) {
    rate *= 0.5 * (1 + std::cos(std::numbers::pi * now / all));
  }
  StepRates rates{.learning_rate = static_cast<float>(rate),
                  .first_correction = static_cast<float>(1 / (1 - std::pow(0.9, now + 1))),
                  .second_correction = static_cast<float>(1 / (1 - std::pow(0.999, now + 1)))};
  const double warm = plan.warm_start * all;
  if (now < warm || plan.regularization == 0) return rates;
  const double progress = (now - warm) / (all - warm);
  rates.regularization = static_cast<float>(plan.regularization);
  rates.beta = static_cast<float>(plan.beta_end + 0.5 * (plan.beta_start - plan.beta_end) *
                                                      (1 + std::cos(std::numbers::pi * progress)));
  return rates;
}

/// A block of rows with its buffers, whose sizes do not change.
struct Worked {
  OutputBlock block;
  std::vector<float> weights;
  std::vector<float> by_weights;
  std::vector<float> by_bias;
  std::vector<float> scratch;
};

class Descent {
 public:
  Descent(const LayerWeights& layer, Objective& objective, TrainedWeights& weights,
          const DescentPlan& plan, const DescentOptions& options, ThreadPool& pool,
          const CancellationToken& token)
      : layer_(layer),
        objective_(objective),
        weights_(weights),
        plan_(plan),
        options_(options),
        pool_(pool),
        token_(token),
        bias_(layer.bias),
        bias_state_{.first = std::vector<float>(layer.bias.size()),
                    .second = std::vector<float>(layer.bias.size())} {
    const std::int64_t k = layer.shape.columns;
    for (const OutputBlock& block : output_blocks(layer.shape)) {
      Worked worked;
      worked.block = block;
      worked.weights.resize(to_size(block.count * k));
      worked.by_weights.resize(to_size(block.count * k));
      worked.by_bias.resize(to_size(block.count));
      weights.weights({.first = block.first * k, .count = block.count * k}, worked.weights.data());
      blocks_.push_back(std::move(worked));
    }
  }

  DescentResult run() {
    DescentResult result;
    result.error_before = objective_.error(round_to_nearest(layer_));
    const std::int64_t tenth = std::max<std::int64_t>(1, options_.iterations / 10);
    const std::int64_t window = options_.window == 0 ? tenth : options_.window;
    // Until the regularizer acts, soft weights are far from their codes, so the first check comes
    // after the warm start.
    const std::int64_t first_check =
        plan_.regularization == 0
            ? 0
            : static_cast<std::int64_t>(plan_.warm_start *
                                        static_cast<double>(options_.iterations));
    std::optional<Solution> best;
    double least = std::numeric_limits<double>::infinity();
    std::int64_t checks_without_improvement = 0;
    std::int64_t done = 0;
    while (done < options_.iterations) {
      const std::int64_t end =
          options_.early_stop ? std::min(options_.iterations, done + window) : options_.iterations;
      while (done < end) done += steps(done, end - done);
      if (!options_.early_stop) break;
      if (done < first_check) continue;
      Solution here = solution();
      const double error = objective_.error(here);
      if (error < least) {
        least = error;
        best = std::move(here);
        checks_without_improvement = 0;
      } else if (++checks_without_improvement >= options_.patience) {
        break;
      }
    }
    result.iterations = done;
    result.solution = best ? std::move(*best) : solution();
    result.error_after = best ? least : objective_.error(result.solution);
    return result;
  }

 private:
  /// Runs the steps from `first` on that the objective has prepared, at most `count`, and returns
  /// their number.
  std::int64_t steps(std::int64_t first, std::int64_t count) {
    const std::int64_t ready = objective_.prepare(first, count);
    pool_.parallel_for(
        static_cast<std::int64_t>(blocks_.size()),
        [&](std::int64_t index, int) {
          for (std::int64_t step = first; step < first + ready; ++step) {
            if (token_.is_cancelled()) return;  // parallel_for throws
            step_block(step, blocks_[to_size(index)]);
          }
        },
        token_);
    token_.throw_if_cancelled();
    return ready;
  }

  void step_block(std::int64_t step, Worked& worked) {
    const OutputBlock& block = worked.block;
    const std::int64_t k = layer_.shape.columns;
    const StepRates rates = rates_of(step, plan_, options_);
    const bool trains_bias = plan_.trains_bias && !bias_.empty();
    objective_.gradient(step, block, worked.weights.data(),
                        bias_.empty() ? nullptr : bias_.data() + block.first, worked.scratch,
                        worked.by_weights.data(), trains_bias ? worked.by_bias.data() : nullptr);
    weights_.step({.first = block.first * k, .count = block.count * k}, rates,
                  worked.by_weights.data(), worked.weights.data());
    if (trains_bias)
      adam_step(rates, worked.by_bias.data(), block.first, block.count, bias_state_, bias_);
  }

  [[nodiscard]] Solution solution() const {
    return {.codes = weights_.codes(), .scales = layer_.grid.scales, .bias = bias_};
  }

  const LayerWeights& layer_;
  Objective& objective_;
  TrainedWeights& weights_;
  const DescentPlan& plan_;
  const DescentOptions& options_;
  ThreadPool& pool_;
  const CancellationToken& token_;
  std::vector<float> bias_;
  AdamState bias_state_;
  std::vector<Worked> blocks_;
};

}  // namespace

DescentResult descend(const LayerWeights& layer, const LayerSamples& samples,
                      TrainedWeights& weights, const DescentPlan& plan,
                      const DescentOptions& options, ThreadPool& pool,
                      const CancellationToken& token) {
  require_valid(options, plan);
  if (options.batch_size < 1 || options.batch_size > samples.count()) {
    throw InvalidInput(
        fmt::format("finetune: BatchSize is {}, expected 1 to the number of samples, {}",
                    options.batch_size, samples.count()));
  }
  const auto objective = sampled_objective(layer, samples, options, pool, token);
  return Descent(layer, *objective, weights, plan, options, pool, token).run();
}

DescentResult descend(const LayerWeights& layer, const Moments& moments, TrainedWeights& weights,
                      const DescentPlan& plan, const DescentOptions& options, ThreadPool& pool,
                      const CancellationToken& token) {
  require_valid(options, plan);
  if (options.loss.activation.kind != Activation::Kind::none || options.loss.grid) {
    throw InternalError("finetune: second moments support no activation and no output quantizer");
  }
  const auto objective = moments_objective(layer, moments, pool);
  return Descent(layer, *objective, weights, plan, options, pool, token).run();
}

}  // namespace quantsearch::reconstruction
