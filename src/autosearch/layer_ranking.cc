#include "autosearch/layer_ranking.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/stopwatch.h"
#include "quantsearch/pipeline/sensitivity_table.h"
#include "quantsearch/search/trial_details.h"

namespace quantsearch {

namespace {

// Of the time of the search.
constexpr double kShare = 0.05;
// An estimate may be wrong by this factor before the ranking is given up.
constexpr double kPatience = 2;
// Opening a model takes about as long as quantizing it.
constexpr double kQuantizeAndOpen = 2;
// Of a model's nodes, those that a layer's model runs on average.
constexpr double kShareRun = 0.6;
// Passes of whole models: the float model for its outputs and its inner tensors, and the quantized
// model for its own.
constexpr double kWholeRuns = 3;
// Most layers that the lines for a configuration name.
constexpr std::size_t kNamed = 20;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::int64_t layers_of(const Graph& graph) {
  const std::vector<std::string> types = SensitivityOptions{}.op_types;
  return std::ranges::count_if(graph.nodes, [&](const Node& node) {
    return std::ranges::find(types, node.op_type) != types.end();
  });
}

/// The longest time that a trial has spent in a stage.
double longest(const std::vector<Trial>& trials, const std::string& stage) {
  double most = 0;
  for (const Trial& trial : trials) {
    if (trial.state != TrialState::complete) continue;
    const TrialDetails details = details_from(trial.details);
    const auto found = details.stages.find(stage);
    if (found != details.stages.end() && !found->second.cached)
      most = std::max(most, found->second.seconds);
  }
  return most;
}

RankingCosts costs_of(const Setup& setup, const std::vector<Trial>& trials) {
  const std::optional<double>& limit = setup.config.strategy.stop.time_limit_seconds;
  RankingCosts costs{.passed = seconds_since(setup.start),
                     .seconds_of_model = kQuantizeAndOpen * longest(trials, "quantize"),
                     .layers = layers_of(setup.input.model.graph)};
  costs.left = limit ? *limit - costs.passed : std::numeric_limits<double>::infinity();
  costs.seconds_of_sample =
      longest(trials, "evaluate") / static_cast<double>(setup.data.evaluation->size());
  return costs;
}

/// What the mixed precision of a trial measured: the noise that each layer adds when all others
/// have the most precise format. Null when no trial did.
Value from_mixed_precision(const std::vector<Trial>& trials) {
  for (const Trial& trial : trials) {
    if (trial.state != TrialState::complete) continue;
    const TrialDetails details = details_from(trial.details);
    const auto table = details.layer_tables.find("precision");
    if (table == details.layer_tables.end()) continue;
    Value::List layers;
    for (const Value& row : table->second.as_list()) {
      layers.push_back(
          Value::Map{{"node", *row.find("node")}, {"added_noise", *row.find("sensitivity")}});
    }
    std::ranges::stable_sort(layers, std::ranges::greater(),
                             [](const Value& row) { return row.find("added_noise")->as_double(); });
    return Value::Map{{"trial", trial.number}, {"layers", std::move(layers)}};
  }
  return {};
}

Value left_out(const Setup& setup, const std::vector<Trial>& trials, const std::string& reason) {
  if (Value known = from_mixed_precision(trials); !known.is_null()) {
    known.set("left_out", reason + "; the noise is that of the trial's mixed precision");
    return known;
  }
  say(setup.environment.log, LogLevel::info,
      fmt::format("sensitivity: {}; the command 'sensitivity' ranks the layers", reason));
  return Value::Map{{"left_out", reason}};
}

Value measured(const Setup& setup, const Settings& settings, const RankingPlan& plan,
               BestProfile& profile, const CancellationToken& token) {
  const Stopwatch watch;
  SensitivityReport report =
      setup.pipeline->sensitivity(resolve(settings), {.samples = plan.samples}, token);
  if (const std::vector<KernelCost>* const costs = profile.costs())
    add_times(report, profile.made().float_model->graph, *costs);
  say(setup.environment.log, LogLevel::info,
      fmt::format("sensitivity: {} models run on {} samples in {:.2f} s; {} layers, '{}' adds the "
                  "most noise",
                  report.models, report.samples, watch.seconds(), report.layers.size(),
                  report.layers.front().node));
  return sensitivity_value(report, kNamed);
}

}  // namespace

RankingPlan plan_ranking(const RankingCosts& costs, LayerRanking wanted) {
  const std::int64_t most = SensitivityOptions{}.samples;
  if (wanted == LayerRanking::always && costs.left > 0)
    return {.samples = most, .seconds = costs.left};
  const double limit = std::min(costs.left, kShare * costs.passed);
  const auto models = static_cast<double>(2 * costs.layers + 1);
  const double of_samples = costs.seconds_of_sample * (kWholeRuns + kShareRun * models);
  const double rest = limit - models * costs.seconds_of_model;
  if (rest <= of_samples) return {};
  const double samples = std::min(static_cast<double>(most), rest / of_samples);
  return {.samples = static_cast<std::int64_t>(samples),
          .seconds = std::min(costs.left, kPatience * limit)};
}

Value rank_layers(const Setup& setup, const std::vector<Trial>& trials, const Settings& best,
                  BestProfile& profile) {
  const LayerRanking wanted = setup.config.output.layer_ranking;
  const CancellationToken& asked = setup.environment.token;
  if (wanted == LayerRanking::never || asked.is_cancelled()) return {};
  const RankingCosts costs = costs_of(setup, trials);
  if (costs.left <= 0) return left_out(setup, trials, "the time limit was over");
  const RankingPlan plan = plan_ranking(costs, wanted);
  const std::string too_long = "ranking the layers takes too much of the time";
  if (plan.samples == 0) return left_out(setup, trials, too_long);
  const auto deadline =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(
                         std::chrono::duration<double>(std::min(plan.seconds, 1e6)));
  try {
    return measured(setup, best, plan, profile, asked.with_deadline(deadline));
  } catch (const Cancelled&) {
    return asked.is_cancelled() ? Value() : left_out(setup, trials, too_long);
  } catch (const Error& error) {
    return left_out(setup, trials, error.what());
  }
}

}  // namespace quantsearch
