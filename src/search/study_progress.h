#pragma once

// The state of a search that the stop conditions and the ranking need.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/search/study.h"

namespace quantsearch {

/// Throws InvalidInput for a count or a number of jobs below one and for a time that is not
/// positive.
void check_search(const SearchOptions& options);

class StudyProgress {
 public:
  StudyProgress(Ranking ranking, const StopConditions& stop) : ranking_(ranking), stop_(stop) {}

  /// Counts a finished trial. Trials must come in the order of their numbers.
  void add(const Trial& finished);
  [[nodiscard]] std::int64_t finished() const { return finished_; }
  /// The best trial within the limits, by TrialOrder; null without one.
  [[nodiscard]] const std::shared_ptr<const Trial>& best() const { return best_; }
  [[nodiscard]] std::optional<std::int64_t> best_number() const {
    return best_ ? std::optional(best_->number) : std::nullopt;
  }

  struct Stop {
    StopReason reason = StopReason::space_exhausted;
    std::string message;
  };
  /// Returns cancellation, or the first stop condition that holds after `seconds` of this run;
  /// nullopt when the search goes on.
  [[nodiscard]] std::optional<Stop> stop(double seconds, const CancellationToken& token = {}) const;

 private:
  Ranking ranking_;
  StopConditions stop_;
  std::int64_t finished_ = 0;
  std::int64_t candidates_ = 0;
  std::int64_t complete_since_best_ = 0;
  std::shared_ptr<const Trial> best_;  // shared with the trials that have to beat it
};

/// Returns the numbers of the candidates, best first by TrialOrder.
[[nodiscard]] std::vector<std::int64_t> rank_candidates(const std::vector<Trial>& trials,
                                                        Ranking ranking);

}  // namespace quantsearch
