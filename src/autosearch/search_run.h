#pragma once

// The third and the fourth step of a search: its trials, and what is left when they have ended.

#include "autosearch/best_model.h"
#include "autosearch/delivery.h"
#include "autosearch/search_plan.h"
#include "autosearch/trial_store.h"

namespace quantsearch {

/// What the steps work on.
struct SearchRun {
  const Setup& setup;
  const SearchPlan& plan;
  const Baseline& baseline;
  const OutputFolder& output;
  BestModel& best;
};

/// Runs trials until the search ends; best.onnx holds the best model at every moment.
[[nodiscard]] Study run_trials(const SearchRun& run, TrialExecutor& executor,
                               const TrialStore& store);

/// Confirms the best trials on samples of their own, where there are any, and writes candidates,
/// results and report. Throws InvalidInput with the first reason when every trial has failed,
/// StudyRemoved when the study's place is gone.
[[nodiscard]] SearchResult deliver_results(const SearchRun& run, Study study);

}  // namespace quantsearch
