#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>

#include "quantsearch/base/error.h"
#include "quantsearch/search/study.h"
#include "search/run_trial.h"
#include "search/study_progress.h"
#include "search/workers.h"

namespace quantsearch {

namespace {

// How far a sampler that does not learn may be ahead of the oldest running trial, in trials per job.
constexpr std::int64_t kAheadPerJob = 4;

class Search {
 public:
  Search(Sampler& sampler, const Objective& objective, const SearchOptions& options,
         StudyStore& store)
      : sampler_(sampler),
        options_(options),
        store_(store),
        start_(options.now()),
        progress_(options.goal, options.stop),
        limits_(options, start_),
        running_(options.token.child()),
        workers_(options.jobs, [this, &objective](Trial& trial) { limits_.run(trial, objective, running_); }) {}

  Study run() {
    load();
    while (!ended()) {
      if (may_ask()) {
        ask();  // before the next commit: what the sampler has been told then depends on the number alone
      } else if (!open_.empty() && finished_.contains(open_.front())) {
        commit();
      } else if (workers_.outstanding() > 0) {
        take(workers_.next_finished());
      } else {
        end({.reason = StopReason::space_exhausted, .message = fmt::format("space exhausted: all {} points tried", asked_)});
      }
    }
    finish();
    return std::move(study_);
  }

 private:
  void load() {
    for (Trial& trial : store_.load()) {
      if (trial.state == TrialState::running) continue;
      earlier_keys_.emplace(key_of(trial.point), trial.number);
      earlier_.emplace(trial.number, std::move(trial));
    }
  }

  /// Settles stop_reason and stop_message when a condition holds.
  bool ended() {
    if (ended_) return true;
    if (auto stop = progress_.stop(seconds_between(start_, options_.now()), options_.token)) end(*std::move(stop));
    return ended_;
  }

  void end(StudyProgress::Stop stop) {
    ended_ = true;
    study_.stop_reason = stop.reason;
    study_.stop_message = std::move(stop.message);
  }

  [[nodiscard]] bool may_ask() const {
    if (exhausted_ || !sampler_.is_ready()) return false;
    const std::int64_t jobs = options_.jobs;
    const std::int64_t ahead = sampler_.learns() || jobs == 1 ? 2 * jobs - 1 : kAheadPerJob * jobs;
    const auto open = static_cast<std::int64_t>(open_.size());
    const auto& limit = options_.stop.iteration_limit;
    return open < ahead && (!limit || progress_.finished() + open < *limit);
  }

  void ask() {
    std::optional<Point> point = sampler_.ask();
    if (!point) {
      exhausted_ = sampler_.is_ready();  // otherwise it goes on when it has been told more
      return;
    }
    ++asked_;
    const auto known = earlier_keys_.find(key_of(*point));
    const bool repeated = known != earlier_keys_.end() && known->second == next_number_;
    const bool differs = known != earlier_keys_.end() || earlier_.contains(next_number_);
    if (!repeated && differs) adopt_earlier();
    if (!repeated && known != earlier_keys_.end()) return tell_again(known->second);
    const std::int64_t number = next_number_++;
    open_.push_back(number);
    if (repeated) {
      finished_.emplace(number, std::move(earlier_.at(number)));
      earlier_.erase(number);
    } else {
      start(number, *std::move(point));
    }
  }

  void start(std::int64_t number, Point point) {
    Trial trial;
    trial.number = number;
    trial.point = std::move(point);
    if (options_.on_rival) options_.on_rival(number, progress_.best());
    if (!stored([&] { store_.start(trial); })) return;
    if (options_.on_start) options_.on_start(trial.number, trial.point);
    ran_.insert(number);
    workers_.submit(std::move(trial));
  }

  /// False, and the search ends, when the study is gone.
  bool stored(const std::function<void()>& store) {
    try {
      store();
      return true;
    } catch (const StudyRemoved& error) {
      end({.reason = StopReason::study_removed, .message = error.what()});
      return false;
    }
  }

  /// Trials of an earlier search that this one does not repeat number by number count as they are; new ones come behind.
  void adopt_earlier() {
    for (auto& [number, trial] : earlier_) {
      progress_.add(trial);
      if (sampler_.learns()) sampler_.tell(trial);
      next_number_ = std::max(next_number_, number + 1);
      study_.trials.push_back(std::move(trial));
    }
    earlier_.clear();
  }

  /// A point that an earlier search ran under another number.
  void tell_again(std::int64_t number) {
    if (sampler_.learns()) return;  // told already
    const auto found = std::ranges::find(study_.trials, number, &Trial::number);
    if (found != study_.trials.end()) sampler_.tell(*found);
  }

  /// A trial that has just run is on disk before anything else happens.
  void take(Trial trial) {
    if (trial.state == TrialState::running) return;  // its turn came when the search was over
    if (!is_cut_off(trial)) (void)stored([&] { store_.save(trial); });
    const std::int64_t number = trial.number;
    finished_.emplace(number, std::move(trial));
  }

  /// Interrupted by the end of the search, not by its own limit: the next search runs it again.
  [[nodiscard]] bool is_cut_off(const Trial& trial) const {
    return trial.state == TrialState::interrupted && ran_.contains(trial.number) &&
           (ended_ || options_.token.is_cancelled() || limits_.is_over());
  }

  /// Counts, tells and reports the trial that is next by its number.
  void commit() {
    Trial trial = std::move(finished_.at(open_.front()));
    finished_.erase(open_.front());
    open_.pop_front();
    if (!is_cut_off(trial)) {
      progress_.add(trial);
      sampler_.tell(trial);
    }
    keep(std::move(trial));
  }

  void keep(Trial trial) {
    if (ran_.contains(trial.number) && options_.on_trial) options_.on_trial(trial);
    study_.trials.push_back(std::move(trial));
  }

  /// Stops what still runs. A trial that a count has made superfluous is left out, one that time or the user stopped is
  /// shown as interrupted; trials of an earlier, longer search are kept.
  void finish() {
    running_.cancel();
    workers_.drop_waiting();
    while (workers_.outstanding() > 0) take(workers_.next_finished());
    const bool by_count = study_.stop_reason == StopReason::candidates_found || study_.stop_reason == StopReason::no_improvement;
    if (!by_count) {
      finished_.merge(earlier_);
      for (auto& [number, trial] : finished_) {
        if (!is_cut_off(trial)) progress_.add(trial);
        keep(std::move(trial));
      }
    }
    std::ranges::stable_sort(study_.trials, {}, &Trial::number);
    study_.best = progress_.best_number();
    study_.candidates = rank_candidates(study_.trials, options_.goal);
    study_.seconds = seconds_between(start_, options_.now());
  }

  Sampler& sampler_;
  const SearchOptions& options_;
  StudyStore& store_;
  Clock::time_point start_;
  StudyProgress progress_;
  TrialLimits limits_;
  CancellationToken running_;  // of the trials: the user's, or this search's own end
  Study study_;
  std::map<std::int64_t, Trial> earlier_;                    // of earlier runs, not yet proposed again
  std::unordered_map<Key, std::int64_t> earlier_keys_;       // their points -> numbers
  std::deque<std::int64_t> open_;                            // asked for and not yet committed, by number
  std::map<std::int64_t, Trial> finished_;                   // of these
  std::set<std::int64_t> ran_;                               // begun by this search
  std::int64_t next_number_ = 0;
  std::int64_t asked_ = 0;
  bool exhausted_ = false;
  bool ended_ = false;
  Workers workers_;  // last: its threads use the others
};

}  // namespace

Study optimize(Sampler& sampler, const Objective& objective, const SearchOptions& options,
               StudyStore& store) {
  check_search(options);
  return Search(sampler, objective, options, store).run();
}

}  // namespace quantsearch
