#include "autosearch/confirmation.h"

#include <fmt/core.h>

#include "autosearch/setup.h"
#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {

std::optional<Confirmation> confirm(const std::vector<Trial>& finalists,
                                    const std::string& objective, const AutoSearchConfig& config,
                                    const DataSplit& data, const Model& float_model,
                                    const SearchEnvironment& environment,
                                    const std::function<BuiltModel(const Trial&)>& built) {
  if (data.confirmation == nullptr || finalists.empty() || environment.token.is_cancelled())
    return std::nullopt;
  const std::shared_ptr<const Task> task =
      task_over(config, float_model, data, TaskSamples::confirmation);
  const Reference reference(float_model, data.confirmation, data.confirmation_labels,
                            *environment.pool, environment.budget,
                            {.batch = 0,
                             .spill_folder = config.output.cache_folder,
                             .logits_output = {},
                             .token = environment.token,
                             .log = environment.log,
                             .device = config.execution.devices.front(),
                             .task = task});
  const std::vector<Metric> metrics = {config.goals.metric};
  Confirmation confirmation{.samples = data.confirmation->size(),
                            .float_score = reference.float_scores(metrics).metrics.at(objective),
                            .scores = {}};
  for (const Trial& trial : finalists) {
    const BuiltModel made = built(trial);
    const Scores scores =
        evaluate(*made.model, reference, *environment.pool,
                 {.metrics = metrics,
                  .output_weights = config.goals.output_weights,
                  .losses_of = {},
                  .exact_products = is_scored_as_graph(resolve(made.settings).quantize.target),
                  .token = environment.token});
    confirmation.scores.emplace_back(trial.number, scores.metrics.at(objective));
    say(environment.log, LogLevel::info,
        fmt::format("confirmation: trial {}: {} {:.6g} on {} samples", trial.number, objective,
                    confirmation.scores.back().second, confirmation.samples));
  }
  return confirmation;
}

std::int64_t confirmed_best(const Confirmation& confirmation, Goal goal) {
  auto best = confirmation.scores.front();
  for (const auto& [number, score] : confirmation.scores) {
    if (is_better(score, best.second, goal)) best = {number, score};
  }
  return best.first;
}

}  // namespace quantsearch
