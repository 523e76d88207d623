#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>

#include "quantsearch/search/study.h"
#include "search/search_loop.h"

namespace quantsearch {

namespace {

// Number of trials per job by which a sampler that does not learn may be ahead of the oldest
// running trial.
constexpr std::int64_t kAheadPerJob = 4;

/// A study of one process: results are committed in the order of their numbers.
class OwnSearch final : public SearchLoop {
 public:
  OwnSearch(Sampler& sampler, const Objective& objective, const SearchOptions& options,
            StudyStore& store)
      : SearchLoop(sampler, objective, options), store_(store) {}

 private:
  void load() override {
    for (Trial& trial : store_.load()) {
      if (trial.state == TrialState::running) continue;
      earlier_keys_.emplace(key_of(trial.point), trial.number);
      earlier_.emplace(trial.number, std::move(trial));
    }
  }

  bool begin() override {
    if (!may_ask()) return false;
    std::optional<Point> point = sampler_.ask();
    if (point) {
      propose(*std::move(point));
    } else {
      // Otherwise it continues after it has been told more results.
      exhausted_ = sampler_.is_ready();
    }
    return true;
  }

  [[nodiscard]] bool may_ask() const {
    if (exhausted_ || !sampler_.is_ready()) return false;
    const std::int64_t jobs = options_.jobs;
    const std::int64_t ahead = sampler_.learns() || jobs == 1 ? 2 * jobs - 1 : kAheadPerJob * jobs;
    const auto open = static_cast<std::int64_t>(open_.size());
    const auto& limit = options_.stop.iteration_limit;
    return open < ahead && (!limit || progress_.finished() + open < *limit);
  }

  void propose(Point point) {
    ++asked_;
    const auto known = earlier_keys_.find(key_of(point));
    const bool repeated = known != earlier_keys_.end() && known->second == next_number_;
    const bool differs = known != earlier_keys_.end() || earlier_.contains(next_number_);
    if (!repeated && differs) adopt_earlier();
    if (!repeated && known != earlier_keys_.end()) return tell_again(known->second);
    const std::int64_t number = next_number_++;
    open_.push_back(number);
    if (repeated) {
      finished_.emplace(number, TrialRun{.trial = std::move(earlier_.at(number))});
      earlier_.erase(number);
    } else {
      start(number, std::move(point));
    }
  }

  void start(std::int64_t number, Point point) {
    Trial trial;
    trial.number = number;
    trial.point = std::move(point);
    if (!stored([&] { store_.start(trial); })) return;
    ran_.insert(number);
    submit(std::move(trial));
  }

  /// Runs `store`. When the study has been removed, the search ends and the result is false.
  bool stored(const std::function<void()>& store) {
    try {
      store();
      return true;
    } catch (const StudyRemoved& error) {
      end({.reason = StopReason::study_removed, .message = error.what()});
      return false;
    }
  }

  /// Adopts the trials of an earlier search when this search does not repeat them number by number:
  /// they count as they are, and new trials are numbered after them.
  void adopt_earlier() {
    for (auto& [number, trial] : earlier_) {
      progress_.add(trial);
      if (sampler_.learns()) sampler_.tell(trial);
      next_number_ = std::max(next_number_, number + 1);
      study_.trials.push_back(std::move(trial));
    }
    earlier_.clear();
  }

  /// Tells the sampler the result of a point that an earlier search ran under another number.
  void tell_again(std::int64_t number) {
    if (sampler_.learns()) return;  // told already
    const auto found = std::ranges::find(study_.trials, number, &Trial::number);
    if (found != study_.trials.end()) sampler_.tell(*found);
  }

  /// Saves a trial that has just run before anything else happens.
  void take(TrialRun run) override {
    if (run.trial.state == TrialState::running) return;  // the search ended before it began
    if (!is_unfinished(run.trial)) (void)stored([&] { store_.save(run.trial); });
    const std::int64_t number = run.trial.number;
    finished_.emplace(number, std::move(run));
  }

  /// True for a trial that this search started and whose end interrupted it. A trial stored by an
  /// earlier search is finished, even when its own time limit interrupted it.
  [[nodiscard]] bool is_unfinished(const Trial& trial) const {
    return ran_.contains(trial.number) && is_cut_off(trial);
  }

  bool commit() override {
    if (open_.empty()) return false;
    auto next = finished_.extract(open_.front());
    if (!next) return false;
    open_.pop_front();
    const Trial& trial = next.mapped().trial;
    if (!is_unfinished(trial)) {
      progress_.add(trial);
      sampler_.tell(trial);
    }
    keep(std::move(next.mapped()));
    return true;
  }

  void keep(TrialRun run) {
    if (ran_.contains(run.trial.number)) report(run);
    study_.trials.push_back(std::move(run.trial));
  }

  bool wait() override { return false; }
  std::int64_t tried() const override { return asked_; }

  /// Trials that became superfluous because a count was reached are left out; trials stopped by
  /// time or by the user are reported as interrupted; trials of an earlier, longer search are kept.
  void complete_study() override {
    if (study_.stop_reason == StopReason::candidates_found ||
        study_.stop_reason == StopReason::no_improvement)
      return;
    for (auto& [number, trial] : earlier_)
      finished_.emplace(number, TrialRun{.trial = std::move(trial)});
    for (auto& [number, run] : finished_) {
      if (!is_unfinished(run.trial)) progress_.add(run.trial);
      keep(std::move(run));
    }
  }

  StudyStore& store_;
  std::map<std::int64_t, Trial> earlier_;               // of earlier runs, not yet proposed again
  std::unordered_map<Key, std::int64_t> earlier_keys_;  // their points -> numbers
  // Numbers of the trials that were proposed and are not yet committed.
  std::deque<std::int64_t> open_;
  std::map<std::int64_t, TrialRun> finished_;  // of open_, not yet committed
  std::set<std::int64_t> ran_;                 // started by this search
  std::int64_t next_number_ = 0;
  std::int64_t asked_ = 0;
  bool exhausted_ = false;
};

}  // namespace

Study optimize(Sampler& sampler, const Objective& objective, const SearchOptions& options,
               StudyStore& store) {
  check_search(options);
  return OwnSearch(sampler, objective, options, store).run();
}

}  // namespace quantsearch
