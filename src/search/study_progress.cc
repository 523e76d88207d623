#include "search/study_progress.h"

#include <fmt/core.h>

#include <algorithm>

#include "quantsearch/base/error.h"
#include "quantsearch/search/trial_order.h"

namespace quantsearch {

namespace {

void check_count(const char* name, const std::optional<std::int64_t>& count) {
  if (!count || *count >= 1) return;
  throw InvalidInput(
      fmt::format("search: stop condition '{}' is {}, expected at least 1", name, *count));
}

void check_seconds(const char* name, const std::optional<double>& seconds) {
  if (!seconds || *seconds > 0) return;
  throw InvalidInput(
      fmt::format("search: stop condition '{}' is {} s, expected a positive time", name, *seconds));
}

}  // namespace

void check_search(const SearchOptions& options) {
  if (options.jobs < 1)
    throw InvalidInput(fmt::format("search: got {} jobs, expected at least 1", options.jobs));
  const StopConditions& stop = options.stop;
  check_count("find_n_candidates", stop.find_n_candidates);
  check_count("find_best_candidate", stop.find_best_candidate);
  check_count("iteration_limit", stop.iteration_limit);
  check_seconds("time_limit", stop.time_limit_seconds);
  check_seconds("trial_time_limit", stop.trial_time_limit_seconds);
}

bool is_feasible(const Trial& trial) {
  return std::ranges::all_of(trial.constraints, [](double violation) { return violation <= 0; });
}

void StudyProgress::add(const Trial& finished) {
  ++finished_;
  if (finished.state != TrialState::complete || !is_feasible(finished)) return;
  if (finished.is_candidate) ++candidates_;
  const TrialOrder order(ranking_);
  const bool improves = !best_ || order.improves(finished, *best_);
  complete_since_best_ = improves ? 0 : complete_since_best_ + 1;
  if (!best_ || order(finished, *best_)) best_ = std::make_shared<const Trial>(finished);
}

std::optional<StudyProgress::Stop> StudyProgress::stop(double seconds,
                                                       const CancellationToken& token) const {
  if (token.is_cancelled()) {
    return Stop{
        .reason = StopReason::cancelled,
        .message = fmt::format("cancelled after {} trials and {:.1f} s", finished_, seconds)};
  }
  if (const auto& wanted = stop_.find_n_candidates; wanted && candidates_ >= *wanted) {
    return Stop{.reason = StopReason::candidates_found,
                .message = fmt::format("enough candidates found: {} of {}", candidates_, *wanted)};
  }
  if (const auto& patience = stop_.find_best_candidate;
      patience && complete_since_best_ >= *patience) {
    return Stop{.reason = StopReason::no_improvement,
                .message = fmt::format("no improvement on trial {} for {} of {} complete trials",
                                       best_->number, complete_since_best_, *patience)};
  }
  if (const auto& limit = stop_.iteration_limit; limit && finished_ >= *limit) {
    return Stop{
        .reason = StopReason::iteration_limit,
        .message = fmt::format("iteration limit reached: {} of {} trials", finished_, *limit)};
  }
  if (const auto& limit = stop_.time_limit_seconds;
      limit && seconds >= *limit && finished_ >= stop_.least_trials) {
    return Stop{.reason = StopReason::time_limit,
                .message = fmt::format("time limit reached: {:.1f} of {} s", seconds, *limit)};
  }
  return std::nullopt;
}

std::vector<std::int64_t> rank_candidates(const std::vector<Trial>& trials, Ranking ranking) {
  std::vector<std::int64_t> numbers;
  for (const Trial* trial : ranked(trials, ranking)) {
    if (trial->is_candidate) numbers.push_back(trial->number);
  }
  return numbers;
}

}  // namespace quantsearch
