#pragma once

// The loop of a search: it begins trials while there is capacity, takes their results and stops
// when a condition holds. Where trials come from and in which order results count depends on
// whether the study belongs to one process (optimize.cc) or to several (optimize_shared.cc).

#include <cstdint>
#include <functional>

#include "quantsearch/search/kept_trials.h"
#include "quantsearch/search/study.h"
#include "search/run_trial.h"
#include "search/study_progress.h"
#include "search/workers.h"

namespace quantsearch {

class SearchLoop {
 public:
  SearchLoop(Sampler& sampler, const Objective& objective, const SearchOptions& options);
  virtual ~SearchLoop() = default;
  SearchLoop(const SearchLoop&) = delete;
  SearchLoop& operator=(const SearchLoop&) = delete;

  [[nodiscard]] Study run();

 protected:
  /// Takes over the trials of earlier runs.
  virtual void load() = 0;
  /// Begins a trial, or handles a proposal that needs no new trial; false when there is nothing to
  /// begin now.
  virtual bool begin() = 0;
  /// Commits the next finished result in the order of numbers; false when there is none.
  virtual bool commit() = 0;
  /// Takes a trial that this loop submitted and that has ended.
  virtual void take(TrialRun run) = 0;
  /// Waits for trials of other processes; false when there are none.
  virtual bool wait() = 0;
  /// The number of points tried, for the message when the space is exhausted.
  [[nodiscard]] virtual std::int64_t tried() const = 0;
  /// Adds the remaining trials to the kept ones when the loop has ended.
  virtual void complete_study() = 0;
  /// Adds the details that news left out to the kept trials.
  virtual void complete_details(std::vector<Trial>& /*trials*/) {}

  /// True when the search has ended. Sets stop_reason and stop_message when a stop condition holds.
  bool ended();
  void end(StudyProgress::Stop stop);
  /// True when a trial was interrupted by the end of the search and not by its own limit. The next
  /// search runs such a trial again.
  [[nodiscard]] bool is_cut_off(const Trial& trial) const;
  void submit(Trial trial);
  [[nodiscard]] int outstanding() const { return workers_.outstanding(); }
  void report(const TrialRun& run) const;

  Sampler& sampler_;
  const SearchOptions& options_;
  StudyProgress progress_;
  KeptTrials kept_;
  Study study_;

 private:
  void finish();

  Clock::time_point start_;
  TrialLimits limits_;
  CancellationToken running_;  // for the trials: cancelled by the user or by the end of this search
  bool ended_ = false;
  Workers workers_;  // the last member, because its threads use the others
};

}  // namespace quantsearch
