#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <unordered_map>

#include "quantsearch/base/error.h"
#include "quantsearch/search/study.h"
#include "search/study_progress.h"

namespace quantsearch {

namespace {

// Longer limits would overflow the clock and cannot be told from none: 30 years.
constexpr double kNoLimitSeconds = 1e9;

std::optional<Clock::time_point> deadline_after(Clock::time_point start,
                                                const std::optional<double>& seconds) {
  if (!seconds || *seconds >= kNoLimitSeconds) return std::nullopt;
  return start +
         std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(*seconds));
}

double seconds_between(Clock::time_point start, Clock::time_point end) {
  return std::chrono::duration<double>(end - start).count();
}

class Search {
 public:
  Search(Sampler& sampler, const Objective& objective, const SearchOptions& options,
         StudyStore& store)
      : sampler_(sampler),
        objective_(objective),
        options_(options),
        store_(store),
        start_(options.now()),
        deadline_(deadline_after(start_, options.stop.time_limit_seconds)),
        progress_(options.goal, options.stop) {}

  Study run() {
    load();
    while (!ended()) {
      std::optional<Point> point = sampler_.ask();
      if (!point) {
        end({.reason = StopReason::space_exhausted,
             .message = fmt::format("space exhausted: all {} points tried", asked_)});
        break;
      }
      ++asked_;
      if (const auto known = known_.find(key_of(*point)); known != known_.end()) {
        sampler_.tell(study_.trials[known->second]);
      } else {
        run_trial(*std::move(point));
      }
    }
    study_.best = progress_.best();
    study_.candidates = rank_candidates(study_.trials, options_.goal);
    study_.seconds = seconds_between(start_, options_.now());
    return std::move(study_);
  }

 private:
  /// Trials of earlier runs count as if they were of this one.
  void load() {
    for (Trial& trial : store_.load()) {
      if (trial.state != TrialState::running) study_.trials.push_back(std::move(trial));
    }
    std::ranges::stable_sort(study_.trials, {}, &Trial::number);
    for (std::size_t i = 0; i < study_.trials.size(); ++i) {
      known_.emplace(key_of(study_.trials[i].point), i);
      progress_.add(study_.trials[i]);
    }
  }

  /// Settles stop_reason and stop_message when a condition holds.
  bool ended() {
    if (ended_) return true;
    const double seconds = seconds_between(start_, options_.now());
    if (options_.token.is_cancelled()) {
      end({.reason = StopReason::cancelled,
           .message = fmt::format("cancelled after {} trials and {:.1f} s", progress_.finished(),
                                  seconds)});
    } else if (auto stop = progress_.stop(seconds)) {
      end(*std::move(stop));
    }
    return ended_;
  }

  void end(StudyProgress::Stop stop) {
    ended_ = true;
    study_.stop_reason = stop.reason;
    study_.stop_message = std::move(stop.message);
  }

  void run_trial(Point point) {
    Trial trial;
    trial.number = study_.trials.empty() ? 0 : study_.trials.back().number + 1;
    trial.point = std::move(point);
    if (options_.on_start) options_.on_start(trial.number, trial.point);
    const Clock::time_point start = options_.now();
    const auto own_deadline = deadline_after(start, options_.stop.trial_time_limit_seconds);
    CancellationToken token = options_.token;
    if (deadline_) token = token.with_deadline(*deadline_);
    if (own_deadline) token = token.with_deadline(*own_deadline);
    const bool cancelled = !settle(trial, token);
    trial.seconds = seconds_between(start, options_.now());
    const bool search_is_over = cancelled && interrupt(trial, own_deadline);
    study_.trials.push_back(trial);
    if (!search_is_over) {
      store_.save(trial);
      progress_.add(trial);
      sampler_.tell(trial);
    }
    if (options_.on_trial) options_.on_trial(trial);
  }

  /// Runs the objective and records its outcome; false when it was cancelled.
  bool settle(Trial& trial, const CancellationToken& token) const {
    try {
      TrialOutcome outcome = objective_(trial.point, trial.number, token);
      if (auto* failure = std::get_if<TrialFailure>(&outcome)) {
        fail(trial, std::move(failure->reason));
        trial.details = std::move(failure->details);
        return true;
      }
      TrialSuccess& success = std::get<TrialSuccess>(outcome);
      trial.details = std::move(success.details);
      if (!std::isfinite(success.value)) {
        fail(trial, fmt::format("the objective is {}, expected a finite number", success.value));
        return true;
      }
      trial.state = TrialState::complete;
      trial.value = success.value;
      trial.is_candidate = success.is_candidate;
    } catch (const Cancelled&) {
      return false;
    } catch (const std::bad_alloc&) {
      fail(trial, "out of memory");
    } catch (const std::exception& error) {
      fail(trial, error.what());
    }
    return true;
  }

  static void fail(Trial& trial, std::string reason) {
    trial.state = TrialState::failed;
    trial.reason = std::move(reason);
  }

  /// Says why a trial was cancelled; true when that also ends the search.
  bool interrupt(Trial& trial, const std::optional<Clock::time_point>& own_deadline) {
    trial.state = TrialState::interrupted;
    if (options_.token.is_cancelled()) {
      trial.reason = fmt::format("the search was cancelled after {:.1f} s of it", trial.seconds);
      return ended();
    }
    if (deadline_ && options_.now() >= *deadline_) {
      trial.reason = fmt::format("the search's time limit of {} s came after {:.1f} s of it",
                                 *options_.stop.time_limit_seconds, trial.seconds);
      const double seconds = seconds_between(start_, options_.now());
      end({.reason = StopReason::time_limit,
           .message = fmt::format("time limit reached: {:.1f} of {} s", seconds,
                                  *options_.stop.time_limit_seconds)});
      return true;
    }
    trial.reason = own_deadline && options_.now() >= *own_deadline
                       ? fmt::format("took longer than the trial time limit: {:.1f} of {} s",
                                     trial.seconds, *options_.stop.trial_time_limit_seconds)
                       : "cancelled by the objective itself";
    return false;
  }

  Sampler& sampler_;
  const Objective& objective_;
  const SearchOptions& options_;
  StudyStore& store_;
  Clock::time_point start_;
  std::optional<Clock::time_point> deadline_;
  StudyProgress progress_;
  std::unordered_map<Key, std::size_t> known_;  // points of earlier runs -> their trial
  Study study_;
  std::int64_t asked_ = 0;
  bool ended_ = false;
};

}  // namespace

Study optimize(Sampler& sampler, const Objective& objective, const SearchOptions& options,
               StudyStore& store) {
  check_stop_conditions(options.stop);
  return Search(sampler, objective, options, store).run();
}

}  // namespace quantsearch
