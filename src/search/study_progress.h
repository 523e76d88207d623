#pragma once

// What the stop conditions and the ranking need to know of the trials so far.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/search/study.h"

namespace quantsearch {

/// Throws InvalidInput for a limit that could never hold or always does, and for less than one job.
void check_search(const SearchOptions& options);

class StudyProgress {
 public:
  StudyProgress(Goal goal, const StopConditions& stop) : goal_(goal), stop_(stop) {}

  /// Trials in the order of their numbers.
  void add(const Trial& finished);
  [[nodiscard]] std::int64_t finished() const { return finished_; }
  /// The best trial that keeps the limits, by TrialOrder; null without one.
  [[nodiscard]] const Trial* best() const { return best_ ? &*best_ : nullptr; }
  [[nodiscard]] std::optional<std::int64_t> best_number() const {
    return best_ ? std::optional(best_->number) : std::nullopt;
  }

  struct Stop {
    StopReason reason = StopReason::space_exhausted;
    std::string message;
  };
  /// Cancellation, or the first condition that holds after `seconds` of this run, if any.
  [[nodiscard]] std::optional<Stop> stop(double seconds, const CancellationToken& token = {}) const;

 private:
  Goal goal_;
  StopConditions stop_;
  std::int64_t finished_ = 0;
  std::int64_t candidates_ = 0;
  std::int64_t complete_since_best_ = 0;
  std::optional<Trial> best_;
};

/// Numbers of the candidates, best first by TrialOrder.
[[nodiscard]] std::vector<std::int64_t> rank_candidates(const std::vector<Trial>& trials,
                                                        Goal goal);

}  // namespace quantsearch
