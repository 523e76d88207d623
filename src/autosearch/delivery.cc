#include "autosearch/delivery.h"

#include <fmt/core.h>

#include <algorithm>

#include "autosearch/arithmetic.h"
#include "autosearch/layer_report.h"
#include "quantsearch/base/byte_budget.h"
#include "quantsearch/base/processor.h"
#include "quantsearch/evaluate/paired_latency.h"
#include "quantsearch/internal/evaluate/latency_check.h"
#include "quantsearch/internal/pipeline/same_model.h"
#include "quantsearch/search/pareto.h"

namespace quantsearch {

namespace {

/// Returns the numbers of the candidates to write.
std::vector<std::int64_t> kept_trials(const Delivery& delivery) {
  std::vector<std::int64_t> kept = delivery.study.candidates;
  kept.resize(std::min(
      kept.size(), static_cast<std::size_t>(std::max<std::int64_t>(0, delivery.environment.keep))));
  return kept;
}

/// Measures delivered models beside the float model. The measurement is short, because there is one
/// at the end of every search.
class DeliveredLatency {
 public:
  explicit DeliveredLatency(const Delivery& delivery)
      : check_(
            delivery.input.model, delivery.reference.data().read(0, 1),
            {.threads = delivery.config.goals.latency_threads,
             .device = delivery.reference.device()},
            {.fewest_pairs = LatencyOptions{}.minimum_runs, .seconds = 0.01, .most_seconds = 0}) {}

  /// Unless the trial was measured.
  void measure(const Model& model, TrialResult& trial) {
    if (trial.model.latency_ratio) return;
    const PairedLatency latency = check_.measure(model, {});
    trial.model.latency_ms = latency.quantized_ms;
    trial.model.latency_ratio = to_ratio(latency);
  }

 private:
  LatencyCheck check_;
};

/// The model of the best trial; nullopt without one.
std::optional<BuiltModel> best_model(const Delivery& delivery) {
  if (!delivery.best) return std::nullopt;
  return delivery.built(*std::ranges::find(delivery.study.trials, *delivery.best, &Trial::number));
}

void write_candidates(const Delivery& delivery, const std::optional<BuiltModel>& best,
                      ResultsDocument& document) {
  const std::vector<std::int64_t> kept = kept_trials(delivery);
  delivery.output.keep_candidates(kept);
  std::vector<std::int64_t> measured = kept;
  if (delivery.best && std::ranges::find(kept, *delivery.best) == kept.end())
    measured.push_back(*delivery.best);
  // A user who has cancelled should not have to wait for measurements.
  const bool is_timed = delivery.config.goals.latency && !delivery.environment.token.is_cancelled();
  std::optional<DeliveredLatency> latency;
  if (is_timed) latency.emplace(delivery);
  for (const std::int64_t number : measured) {
    TrialResult& trial = *std::ranges::find(document.trials, number, &TrialResult::number);
    const BuiltModel made =
        number == delivery.best
            ? *best
            : delivery.built(*std::ranges::find(delivery.study.trials, number, &Trial::number));
    if (std::ranges::find(kept, number) != kept.end())
      delivery.output.write_candidate(number, *made.model);
    if (latency) latency->measure(*made.model, trial);
    if (number == delivery.best && trial.model.latency_ratio)
      document.float_model.latency_ms = trial.model.latency_ratio->float_ms;
    trial.arithmetic = arithmetic_scores(delivery, made, trial.model.scores);
    if (trial.arithmetic && trial.arithmetic->differ) {
      say(delivery.environment.log, LogLevel::warning,
          fmt::format("trial {}: rel_l2 is {:.3g} on this processor, and {:.3g} where the graph is "
                      "computed as it says: its integer kernels saturate{}",
                      number, trial.arithmetic->processor.at("rel_l2"),
                      trial.arithmetic->graph.at("rel_l2"), trial.arithmetic->advice));
    }
  }
}

/// The operators of the best model, and which of its layers hurt.
void describe_best(const Delivery& delivery, const Settings& best, ResultsDocument& document) {
  BestProfile profile(delivery.pipeline, resolve(best),
                      {.goals = delivery.config.goals,
                       .device = delivery.reference.device(),
                       .data = delivery.reference.data(),
                       .token = delivery.environment.token});
  document.layers = describe_layers(delivery, profile);
  document.sensitivity = delivery.rank_layers(best, profile);
  Value& table = document.sensitivity;
  if (!table.is_null() && table.find("trial") == nullptr) table.set("trial", *delivery.best);
}

constexpr const char* kLeftFloat = "nodes_to_exclude";

/// True for a trial whose model is that of the settings that the search started from; `except` is
/// an option that may differ.
bool is_base(const Trial& trial, const Settings& base, const std::string& except = "") {
  Settings settings = settings_of(base, trial.point);
  const auto start = base.find(except);
  settings.erase(except);
  if (start != base.end()) settings.insert(*start);
  return make_same_model(settings, base);
}

const Trial* complete_base(const Delivery& delivery, const std::string& except = "") {
  const std::vector<Trial>& trials = delivery.study.trials;
  const auto found = std::ranges::find_if(trials, [&](const Trial& trial) {
    return trial.state == TrialState::complete && is_base(trial, delivery.config.base, except);
  });
  return found == trials.end() ? nullptr : &*found;
}

/// Why no trial is the base trial.
std::string why_no_base(const Delivery& delivery) {
  for (const Trial& trial : delivery.study.trials) {
    if (!is_base(trial, delivery.config.base)) continue;
    return fmt::format(
        "trial {}, with the settings that the search started from, was {}, so nothing is compared "
        "with them",
        trial.number,
        trial.state == TrialState::pruned ? "given up early" : to_string(trial.state));
  }
  return "no trial had the settings that the search started from, so nothing is compared with "
         "them: they are not in the search space, or the search ended before them";
}

/// The first complete trial with the settings that the search started from. Where measured times
/// leave operators in float, every trial differs from them in that, so one that differs in nothing
/// else takes its place.
void add_base_trial(const Delivery& delivery, ResultsDocument& document) {
  if (const Trial* const base = complete_base(delivery)) {
    document.base_trial = base->number;
    return;
  }
  const Trial* const placed =
      delivery.placement.is_null() ? nullptr : complete_base(delivery, kLeftFloat);
  if (placed == nullptr) {
    document.base_note = why_no_base(delivery);
    return;
  }
  document.base_trial = placed->number;
  document.base_note = fmt::format(
      "trial {} has the settings that the search started from, but for the operators that are "
      "faster in float, as measured",
      placed->number);
}

}  // namespace

ResultsDocument document_of(const Delivery& delivery) {
  ResultsDocument document;
  document.model = delivery.input.model_name;
  document.objective = delivery.objective.name;
  document.goal = delivery.objective.goal;
  document.search_goal = delivery.config.goals.goal;
  document.tolerance = delivery.tolerance;
  document.float_model = {.scores = delivery.float_scores.metrics,
                          .size_bytes = delivery.float_scores.size_bytes,
                          .latency_ms = {}};
  for (const Trial& trial : delivery.study.trials) document.trials.push_back(trial_result(trial));
  document.trials_in_all = delivery.study.trials_in_all;
  document.best = delivery.best;
  if (!document.trials.empty()) add_base_trial(delivery, document);
  document.rebuild_command = delivery.environment.rebuild_command;
  document.candidates = delivery.study.candidates;
  document.confirmation = delivery.confirmation;
  if (delivery.goals.size() > 1)
    document.front = pareto_front(delivery.study.trials, delivery.goals);
  document.stop_reason = to_string(delivery.study.stop_reason);
  document.stop_message = delivery.study.stop_message;
  document.space = delivery.summary;
  document.placement = delivery.placement;
  document.warnings = delivery.warnings;
  document.provenance = delivery.provenance;
  document.cache_hits = delivery.cache.hits;
  document.cache_misses = delivery.cache.misses;
  document.cache_seconds_saved = delivery.cache.seconds_saved;
  document.seconds = std::chrono::duration<double>(Clock::now() - delivery.start).count();
  document.peak_rss_bytes = memory_use().peak_bytes;
  document.processor = this_processor();
  const auto best = std::ranges::find_if(
      delivery.study.trials, [&](const Trial& trial) { return trial.number == delivery.best; });
  const Settings settings = settings_of(
      delivery.config.base, best == delivery.study.trials.end() ? Point{} : best->point);
  document.for_npu = resolve(settings).quantize.target == Target::npu_cnn;
  document.activation_type = effective_value("activation_type", settings).as_string();
  document.device = to_string(delivery.reference.device());
  return document;
}

ResultsDocument deliver(const Delivery& delivery) {
  ResultsDocument document = document_of(delivery);
  const auto write = [&] {
    delivery.output.write_results(to_value(document));
    if (delivery.environment.on_results) delivery.environment.on_results();
  };
  write();
  const std::optional<BuiltModel> best = best_model(delivery);
  write_candidates(delivery, best, document);
  if (best) describe_best(delivery, best->settings, document);
  document.seconds = std::chrono::duration<double>(Clock::now() - delivery.start).count();
  document.peak_rss_bytes = memory_use().peak_bytes;
  write();
  delivery.output.write_report(html_report(document));
  return document;
}

}  // namespace quantsearch
