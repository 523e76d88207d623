#include "report/standing.h"

#include <fmt/core.h>

#include <algorithm>

#include "quantsearch/search/trial_order.h"

namespace quantsearch {

Trial standing_of(const TrialResult& trial, const std::string& objective) {
  Trial standing;
  standing.number = trial.number;
  standing.state = trial.state;
  standing.point = trial.config;
  standing.value = trial.model.scores.at(objective);
  if (!trial.is_feasible) standing.constraints = {1};
  standing.is_candidate = trial.is_candidate;
  standing.details = to_value(TrialDetails{.size_bytes = trial.model.size_bytes,
                                           .float_layers = trial.float_layers,
                                           .latency_ratio = trial.model.latency_ratio,
                                           .conversions = trial.model.conversions});
  return standing;
}

std::vector<const TrialResult*> best_first(const ResultsDocument& document) {
  std::vector<const TrialResult*> trials;
  for (const TrialResult& trial : document.trials) {
    if (trial.state == TrialState::complete && trial.model.scores.contains(document.objective))
      trials.push_back(&trial);
  }
  const TrialOrder order(document.ranking());
  std::ranges::sort(trials, [&](const TrialResult* a, const TrialResult* b) {
    if (document.best == a->number || document.best == b->number)
      return document.best == a->number && a->number != b->number;
    return order(standing_of(*a, document.objective), standing_of(*b, document.objective));
  });
  return trials;
}

std::string candidates_text(const ResultsDocument& document) {
  return fmt::format("{}{} candidates", document.trials_in_all ? "at least " : "",
                     document.candidates.size());
}

std::string listed_part(const ResultsDocument& document) {
  return fmt::format(
      "{} of {} trials are listed: the best, {}the latest that were the best when they ended, and "
      "an even part of the rest; the format csv of the study has all",
      document.trials.size(), document.trial_count(), document.front.empty() ? "" : "the front, ");
}

std::vector<ParameterImportance> importances_of(const ResultsDocument& document) {
  constexpr std::size_t kFewestTrials = 10;
  std::vector<Trial> trials;
  for (const TrialResult& result : document.trials) {
    if (result.state == TrialState::complete && result.model.scores.contains(document.objective)) {
      trials.push_back(standing_of(result, document.objective));
    }
  }
  if (trials.size() < kFewestTrials) return {};
  return importances(trials, std::vector{document.goal});
}

}  // namespace quantsearch
