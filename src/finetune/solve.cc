#include "finetune/solve.h"

#include "finetune/solvers/adaquant.h"
#include "finetune/solvers/adaround.h"
#include "finetune/solvers/bias_correction.h"
#include "finetune/solvers/gptq.h"
#include "finetune/solvers/moments.h"
#include "finetune/solvers/refine.h"

namespace quantsearch::reconstruction {

namespace {

class LayerSolver {
 public:
  LayerSolver(const LayerTask& task, LayerData& data, const FinetuneOptions& options,
              const FinetuneEnvironment& environment)
      : layer_(task.weights),
        stored_(task.stored),
        described_(task.described),
        quantized_(task.quantized),
        data_(data),
        options_(options),
        pool_(environment.pool),
        token_(environment.token) {}

  Judged run() {
    if (options_.algorithm == FinetuneAlgorithm::adaround ||
        options_.algorithm == FinetuneAlgorithm::adaquant)
      return train();
    const Moments moments = data_.moments(pool_, token_);
    Solution solution = stored_;
    if (options_.algorithm == FinetuneAlgorithm::gptq) {
      solution = solve_gptq(moments);
      if (described_.activation.kind != Activation::Kind::none && moments.count > 0)
        return refine_after_activation(std::move(solution));
    }
    return judge(std::move(solution), moments);
  }

 private:
  Solution solve_gptq(const Moments& moments) const {
    constexpr int kSmallBeam = 8;  // as good as 64 on depthwise layers, at an eighth of the cost
    return gptq(
        layer_, moments,
        {.choose_scales = options_.choose_scales, .beam = options_.beam, .small_beam = kSmallBeam},
        pool_, token_);
  }

  Judged refine_after_activation(Solution solution) const {
    const Columns& columns = data_.spread_columns(pool_);
    const Activation& activation = described_.activation;
    solution =
        refine(layer_, std::move(solution), columns,
               {.activation = activation, .ridge = default_ridge(layer_.shape, columns.count)},
               pool_, token_);
    Judged judged{.solution = as_written(described_, std::move(solution), quantized_)};
    judged.error_before = error_after_activation(layer_, stored_, columns, activation, pool_);
    judged.error_after =
        error_after_activation(layer_, judged.solution, columns, activation, pool_);
    return judged;
  }

  double error_of(const Solution& solution, const Moments& moments) const {
    return relative_error(row_errors(layer_, solution, moments, pool_), moments);
  }

  /// Corrects the bias under `bias_correction` and measures the errors on the moments.
  Judged judge(Solution solution, const Moments& moments) const {
    if (options_.bias_correction && !solution.bias.empty())
      solution.bias = corrected_bias(layer_, solution, moments);
    Judged judged{.solution = as_written(described_, std::move(solution), quantized_)};
    judged.error_before = error_of(stored_, moments);
    judged.error_after = error_of(judged.solution, moments);
    return judged;
  }

  /// Runs a gradient method. The errors are those of the method, after the activation, or those on
  /// the moments when the bias is corrected.
  Judged train() {
    const bool sampled = options_.objective == FinetuneObjective::sampled;
    std::optional<Moments> moments;
    if (!sampled || options_.bias_correction || options_.learning_rate_adjustment)
      moments = data_.moments(pool_, token_);
    const DescentOptions descent = descent_options(moments);
    if (sampled) data_.keep_parts();
    DescentResult trained = sampled ? descend_on(static_cast<const LayerSamples&>(data_), descent)
                                    : descend_on(*moments, descent);
    if (options_.bias_correction) return judge(std::move(trained.solution), *moments);
    return {.solution = std::move(trained.solution),
            .error_before = trained.error_before,
            .error_after = trained.error_after};
  }

  DescentOptions descent_options(const std::optional<Moments>& moments) const {
    DescentOptions descent = {
        .iterations = options_.iterations,
        .learning_rate = options_.learning_rate,
        .batch_size = options_.batch_size,
        .seed = options_.seed,
        .early_stop = options_.early_stop,
        .window = options_.early_stop_window > 1 ? options_.early_stop_window : 0};
    const auto& adjustment = options_.learning_rate_adjustment;
    if (adjustment && error_of(stored_, *moments) > adjustment->error)
      descent.learning_rate = adjustment->learning_rate;
    if (options_.objective == FinetuneObjective::second_moment)
      return descent;  // moments do not contain the activation
    descent.loss.activation = described_.activation;
    if (options_.output_quantizer) descent.loss.grid = described_.output;
    return descent;
  }

  template <typename Objective>
  DescentResult descend_on(const Objective& objective, const DescentOptions& descent) const {
    if (options_.algorithm == FinetuneAlgorithm::adaquant) {
      return adaquant(layer_, objective, {.descent = descent, .update_bias = options_.update_bias},
                      pool_, token_);
    }
    return adaround(layer_, objective,
                    {.descent = descent,
                     .regularization = options_.regularization,
                     .beta_start = options_.beta_start,
                     .beta_end = options_.beta_end,
                     .warm_start = options_.warm_start},
                    pool_, token_);
  }

  const LayerWeights& layer_;
  const Solution& stored_;
  const TunableLayer& described_;
  const Model& quantized_;
  LayerData& data_;
  const FinetuneOptions& options_;
  ThreadPool& pool_;
  const CancellationToken& token_;
};

}  // namespace

Judged solve(const LayerTask& task, LayerData& data, const FinetuneOptions& options,
             const FinetuneEnvironment& environment) {
  return LayerSolver(task, data, options, environment).run();
}

}  // namespace quantsearch::reconstruction
