#pragma once

// The third and the fourth step of a search: running its trials, and delivering the results.

#include "autosearch/best_model.h"
#include "autosearch/delivery.h"
#include "autosearch/search_plan.h"
#include "autosearch/trial_store.h"

namespace quantsearch {

/// The objects that the steps use.
struct SearchRun {
  const Setup& setup;
  const SearchPlan& plan;
  const Baseline& baseline;
  const std::vector<std::string>& warnings;  // baseline_warnings()
  const OutputFolder& output;
  BestModel& best;
};

/// Runs trials until the search ends. best.onnx contains the best model at all times.
[[nodiscard]] Study run_trials(const SearchRun& run, TrialExecutor& executor,
                               const TrialStore& store);

/// Confirms the best trials on held-out samples, if there are any, and writes candidates, results
/// and report. Throws InvalidInput with the first reason when every trial has failed, and
/// StudyRemoved when the storage of the study was removed.
[[nodiscard]] SearchResult deliver_results(const SearchRun& run, Study study);

}  // namespace quantsearch
