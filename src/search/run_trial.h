#pragma once

// One call of the objective, its outcome written into the trial.

#include <optional>

#include "quantsearch/search/study.h"

namespace quantsearch {

/// A trial on its way through the objective.
struct TrialRun {
  Trial trial;
  std::optional<Trial> incumbent = {};
  TrialProduct product = {};
};

[[nodiscard]] std::optional<Clock::time_point> deadline_after(Clock::time_point start,
                                                              const std::optional<double>& seconds);
[[nodiscard]] double seconds_between(Clock::time_point start, Clock::time_point end);

/// When trials have to end, and how they say why they did.
class TrialLimits {
 public:
  TrialLimits(const SearchOptions& options, Clock::time_point search_start)
      : options_(options),
        search_deadline_(deadline_after(search_start, options.stop.time_limit_seconds)) {}

  /// Runs a trial that has its number and point. Cancelled: interrupted, with the reason. When the
  /// search is over before it begins it stays as it is, running.
  void run(TrialRun& run, const Objective& objective, const CancellationToken& token) const;
  /// True when the search's own time is up.
  [[nodiscard]] bool is_over() const {
    return search_deadline_ && options_.now() >= *search_deadline_;
  }

 private:
  [[nodiscard]] std::string why_interrupted(
      double seconds, const std::optional<Clock::time_point>& own_deadline) const;

  const SearchOptions& options_;
  std::optional<Clock::time_point> search_deadline_;
};

}  // namespace quantsearch
