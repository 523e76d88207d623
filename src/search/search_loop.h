#pragma once

// The loop of a search: begin trials while there is room, take their results, stop when a condition
// holds. Where trials come from and in which order results count depends on whether the study
// belongs to this process alone (optimize.cc) or to several (optimize_shared.cc).

#include <cstdint>
#include <functional>

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
  /// Begins a trial, or settles what the sampler proposed in another way; false when there is
  /// nothing to begin now.
  virtual bool begin() = 0;
  /// Counts the next result that waits for its turn; false when none does.
  virtual bool commit() = 0;
  /// A trial that this loop submitted has ended.
  virtual void take(TrialRun run) = 0;
  /// Waits for trials of other processes; false when there are none.
  virtual bool wait() = 0;
  /// How many points have been tried when the space is exhausted.
  [[nodiscard]] virtual std::int64_t tried() const = 0;
  /// Adds what the study lacks when the loop has ended.
  virtual void complete_study() = 0;

  /// Settles stop_reason and stop_message when a condition holds.
  bool ended();
  void end(StudyProgress::Stop stop);
  /// Whether an interrupted trial was interrupted by the end of the search and not by its own
  /// limit. The next search runs it again.
  [[nodiscard]] bool is_cut_off(const Trial& trial) const;
  void submit(Trial trial);
  [[nodiscard]] int outstanding() const { return workers_.outstanding(); }
  void report(const TrialRun& run) const;

  Sampler& sampler_;
  const SearchOptions& options_;
  StudyProgress progress_;
  Study study_;

 private:
  void finish();

  Clock::time_point start_;
  TrialLimits limits_;
  CancellationToken running_;  // of the trials: the user's, or this search's own end
  bool ended_ = false;
  Workers workers_;  // last: its threads use the others
};

}  // namespace quantsearch
