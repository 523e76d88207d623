#include "report/next_steps.h"

#include <fmt/core.h>

#include <algorithm>

#include "report/advice.h"
#include "report/standing.h"

namespace quantsearch {

namespace {

const TrialResult* best_trial(const ResultsDocument& document) {
  const auto found = std::ranges::find_if(
      document.trials, [&](const TrialResult& trial) { return document.best == trial.number; });
  return found == document.trials.end() ? nullptr : &*found;
}

/// True when a trial had this setting.
bool was_tried(const ResultsDocument& document, const char* option, const Value& value) {
  return std::ranges::any_of(document.trials, [&](const TrialResult& trial) {
    const auto found = trial.config.find(option);
    return found != trial.config.end() && found->second == value;
  });
}

/// What a search that found nothing good enough has not tried.
std::string untried_methods(const ResultsDocument& document) {
  struct Method {
    const char* option;
    const char* what;
  };
  for (const auto& [option, what] :
       {Method{"include_cle", "equalize the layers first (include_cle)"},
        Method{"include_fast_ft", "reconstruct the layers (include_fast_ft)"},
        Method{"include_auto_mp", "give sensitive layers 16 bits (include_auto_mp)"}}) {
    if (!was_tried(document, option, true)) return fmt::format("let the search {}", what);
  }
  return "give it more calibration data";
}

void advise_without_candidate(const ResultsDocument& document, std::vector<std::string>& steps) {
  const TrialResult* const best = best_trial(document);
  if (best == nullptr) {
    steps.push_back(document.trials.empty()
                        ? std::string("No trial has ended yet.")
                        : fmt::format("No trial is complete: the first says '{}'.",
                                      document.trials.front().reason));
    return;
  }
  steps.push_back(
      fmt::format("No trial is within the tolerance ({}). Trial {} is the closest; {}, or accept "
                  "more loss with --tolerance.",
                  document.tolerance, best->number, untried_methods(document)));
}

void advise_on_arithmetic(const TrialResult& best, std::vector<std::string>& steps) {
  if (!best.arithmetic || !best.arithmetic->differ) return;
  steps.emplace_back(
      "The integer kernels of this processor saturate, so the model gives other results elsewhere: "
      "search with --target cpu, or set reduce_range.");
}

void advise_on_speed(const ResultsDocument& document, const TrialResult& best,
                     std::vector<std::string>& steps) {
  if (document.for_npu) {
    steps.emplace_back(
        "The model is for an NPU: measure its speed there, this machine cannot tell it.");
    return;
  }
  const auto& ratio = best.model.latency_ratio;
  if (!ratio || ratio->high < 1) return;
  steps.push_back(
      fmt::format("The model is not faster than float on this machine: {}. If size does not "
                  "matter, keep the float model here.",
                  cost_of_integers(document, best)));
}

void advise_on_worst_slice(const TrialResult& best, std::vector<std::string>& steps) {
  constexpr double kUneven = 3;  // times the noise of the whole output
  const auto slice = best.model.scores.find("worst_slice");
  const auto noise = best.model.scores.find("rel_l2");
  if (slice == best.model.scores.end() || noise == best.model.scores.end()) return;
  if (noise->second <= 0 || slice->second < kUneven * noise->second) return;
  steps.push_back(fmt::format(
      "One slice of an output has {:.2g} times the noise of the whole ({:.2g} against {:.2g}): "
      "check what it means for you, or leave the last layers float (nodes_to_exclude).",
      slice->second / noise->second, slice->second, noise->second));
}

void advise_on_the_rest(const ResultsDocument& document, std::vector<std::string>& steps) {
  const std::int64_t tried = document.trial_count();
  const bool was_stopped = document.stop_reason == "time_limit" ||
                           document.stop_reason == "iteration_limit" ||
                           document.stop_reason == "cancelled";
  if (!was_stopped || tried >= document.space.distinct) return;
  steps.push_back(fmt::format(
      "{} of {}{} configurations were tried: the same search with --resume and a higher limit goes "
      "on.",
      tried, document.space.complete ? "" : "at least ", document.space.distinct));
}

}  // namespace

std::vector<std::string> next_steps(const ResultsDocument& document) {
  std::vector<std::string> steps;
  const TrialResult* const best = best_trial(document);
  if (document.stop_reason == kRunning)
    steps.emplace_back(
        "The search is running, and this is what it has found so far; quantsearch report --serve "
        "follows it.");
  if (best == nullptr || !best->is_candidate) {
    advise_without_candidate(document, steps);
  } else if (document.stop_reason != kRunning) {
    steps.emplace_back(
        "Run best.onnx on data of your own that the search has not seen, on the machine that will "
        "use it (quantsearch evaluate).");
  }
  if (best != nullptr) {
    advise_on_arithmetic(*best, steps);
    advise_on_worst_slice(*best, steps);
    advise_on_speed(document, *best, steps);
  }
  advise_on_the_rest(document, steps);
  return steps;
}

}  // namespace quantsearch
