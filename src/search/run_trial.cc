#include "search/run_trial.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <utility>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

// Longer limits (30 years) would overflow the clock and are treated as no limit.
constexpr double kNoLimitSeconds = 1e9;

void fail(Trial& trial, std::string reason) {
  trial.state = TrialState::failed;
  trial.reason = std::move(reason);
}

bool all_finite(double value, const std::vector<double>& more,
                const std::vector<double>& still_more) {
  const auto finite = [](double number) { return std::isfinite(number); };
  return finite(value) && std::ranges::all_of(more, finite) &&
         std::ranges::all_of(still_more, finite);
}

void record(Trial& trial, TrialFailure&& failure) {
  trial.details = std::move(failure.details);
  fail(trial, std::move(failure.reason));
}

void record(Trial& trial, TrialPruned&& pruned) {
  trial.details = std::move(pruned.details);
  if (pruned.value && !std::isfinite(*pruned.value))
    return fail(trial, fmt::format("the objective is {}, expected a finite number", *pruned.value));
  trial.state = TrialState::pruned;
  trial.value = pruned.value;
  trial.reason = std::move(pruned.reason);
}

void record(Trial& trial, TrialSuccess&& success) {
  trial.details = std::move(success.details);
  if (!all_finite(success.value, success.objectives, success.constraints)) {
    const auto bad = std::isfinite(success.value)
                         ? std::string("one of the objectives or constraints is not finite")
                         : fmt::format("the objective is {}", success.value);
    return fail(trial, bad + ", expected a finite number");
  }
  trial.state = TrialState::complete;
  trial.value = success.value;
  trial.objectives = std::move(success.objectives);
  trial.constraints = std::move(success.constraints);
  trial.is_candidate = success.is_candidate;
}

TrialProduct product_of(const TrialOutcome& outcome) {
  const auto* const success = std::get_if<TrialSuccess>(&outcome);
  return success != nullptr ? success->product : nullptr;
}

/// Runs the objective and records its outcome in the trial; false when it was cancelled.
bool settle(TrialRun& run, const Objective& objective, const CancellationToken& token) {
  Trial& trial = run.trial;
  try {
    TrialOutcome outcome = objective({.point = trial.point,
                                      .number = trial.number,
                                      .incumbent = std::move(run.incumbent),
                                      .token = token,
                                      .place = run.place});
    TrialProduct product = product_of(outcome);
    std::visit([&trial](auto&& result) { record(trial, std::forward<decltype(result)>(result)); },
               std::move(outcome));
    if (trial.state == TrialState::complete) run.product = std::move(product);
  } catch (const Cancelled&) {
    return false;
  } catch (const std::bad_alloc&) {
    fail(trial, "out of memory");
  } catch (const std::exception& error) {
    fail(trial, error.what());
  }
  return true;
}

}  // namespace

std::optional<Clock::time_point> deadline_after(Clock::time_point start,
                                                const std::optional<double>& seconds) {
  if (!seconds || *seconds >= kNoLimitSeconds) return std::nullopt;
  return start +
         std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(*seconds));
}

double seconds_between(Clock::time_point start, Clock::time_point end) {
  return std::chrono::duration<double>(end - start).count();
}

void TrialLimits::run(TrialRun& run, const Objective& objective,
                      const CancellationToken& token) const {
  const bool has_time = run.trial.number < options_.stop.least_trials;
  if (token.is_cancelled() || (is_over() && !has_time)) return;
  const Clock::time_point start = options_.now();
  const auto own_deadline = deadline_after(start, options_.stop.trial_time_limit_seconds);
  CancellationToken limited = has_time ? token : within_search(token);
  if (own_deadline) limited = limited.with_deadline(*own_deadline);
  const bool cancelled = !settle(run, objective, limited);
  Trial& trial = run.trial;
  trial.seconds = seconds_between(start, options_.now());
  if (!cancelled) return;
  trial.state = TrialState::interrupted;
  trial.reason = why_interrupted(trial.seconds, own_deadline);
}

std::string TrialLimits::why_interrupted(
    double seconds, const std::optional<Clock::time_point>& own_deadline) const {
  if (options_.token.is_cancelled())
    return fmt::format("the search was cancelled after {:.1f} s of it", seconds);
  if (is_over()) {
    return fmt::format("the search's time limit of {} s came after {:.1f} s of it",
                       *options_.stop.time_limit_seconds, seconds);
  }
  if (own_deadline && options_.now() >= *own_deadline) {
    return fmt::format("took longer than the trial time limit: {:.1f} of {} s", seconds,
                       *options_.stop.trial_time_limit_seconds);
  }
  return "cancelled by the objective itself";
}

}  // namespace quantsearch
