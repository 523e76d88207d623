#pragma once

// Calls the objective and writes its outcome into the trial.

#include <memory>
#include <optional>
#include <vector>

#include "quantsearch/search/study.h"

namespace quantsearch {

/// A trial that is being run, with the data that the objective needs and returns.
struct TrialRun {
  Trial trial;
  std::shared_ptr<const Trial> incumbent = {};
  TrialProduct product = {};
  // With places: the stages that it may share with others, and where it runs.
  std::vector<Key> stages = {};
  std::optional<std::int64_t> place = {};
};

[[nodiscard]] std::optional<Clock::time_point> deadline_after(Clock::time_point start,
                                                              const std::optional<double>& seconds);
[[nodiscard]] double seconds_between(Clock::time_point start, Clock::time_point end);

/// The time limits of trials, and the reasons recorded for interrupted ones.
class TrialLimits {
 public:
  TrialLimits(const SearchOptions& options, Clock::time_point search_start)
      : options_(options),
        search_deadline_(deadline_after(search_start, options.stop.time_limit_seconds)) {}

  /// Runs a trial that has its number and point. A cancelled trial becomes interrupted, with the
  /// reason. When the search is over before the trial begins, its state stays `running`.
  void run(TrialRun& run, const Objective& objective, const CancellationToken& token) const;
  /// The token, which is also cancelled when the search's own time is up.
  [[nodiscard]] CancellationToken within_search(const CancellationToken& token) const {
    return search_deadline_ ? token.with_deadline(*search_deadline_) : token;
  }
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
