#include <algorithm>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <set>

#include "quantsearch/search/study.h"
#include "search/earlier_trials.h"
#include "search/search_loop.h"

namespace quantsearch {

namespace {

/// A study of one process: results are committed in the order of their numbers.
class OwnSearch final : public SearchLoop {
 public:
  OwnSearch(Sampler& sampler, const Objective& objective, const SearchOptions& options,
            StudyStore& store)
      : SearchLoop(sampler, objective, options), store_(store), earlier_(store, options) {}

 private:
  /// The earlier trials are repeated one by one. A sampler that learns may take an hour for that,
  /// so that the callers know where the study stands before.
  void load() override {
    if (sampler_.learns()) earlier_.read_all();
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
    const std::int64_t ahead =
        sampler_.learns() || jobs == 1 ? 2 * jobs - 1 : options_.ahead_per_job * jobs;
    const auto open = static_cast<std::int64_t>(open_.size());
    const auto& limit = options_.stop.iteration_limit;
    return open < ahead && (!limit || progress_.finished() + open < *limit);
  }

  void propose(Point point) {
    ++asked_;
    if (earlier_.next_is(next_number_, point)) {
      finished_.emplace(next_number_, TrialRun{.trial = earlier_.take_repeated()});
      open_.push_back(next_number_++);
      return;
    }
    const Trial* const next = earlier_.next();
    if (next != nullptr && next->number == next_number_) adopt_earlier();
    if (const std::optional<std::int64_t> known = earlier_.number_of(point)) {
      adopt_earlier();
      return tell_again(*known, std::move(point));
    }
    open_.push_back(next_number_);
    start(next_number_++, std::move(point));
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
    while (earlier_.next() != nullptr) {
      Trial trial = earlier_.take();
      progress_.add(trial);
      if (sampler_.learns()) sampler_.tell(trial);
      next_number_ = std::max(next_number_, trial.number + 1);
      kept_.add(std::move(trial));
    }
  }

  /// Tells the sampler that an earlier search ran a point under another number. One that learns was
  /// told already, and to another the result does not matter.
  void tell_again(std::int64_t number, Point point) {
    if (sampler_.learns()) return;
    Trial trial;
    trial.number = number;
    trial.state = TrialState::failed;
    trial.point = std::move(point);
    sampler_.tell(trial);
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
    if (ran_.erase(run.trial.number) > 0) report(run);
    kept_.add(std::move(run.trial));
  }

  bool wait() override { return false; }
  std::int64_t tried() const override { return asked_; }

  /// Trials that became superfluous because a count was reached are left out; trials stopped by
  /// time or by the user are reported as interrupted; trials of an earlier, longer search are kept.
  void complete_study() override {
    if (study_.stop_reason == StopReason::candidates_found ||
        study_.stop_reason == StopReason::no_improvement)
      return earlier_.read_all();  // for on_earlier
    for (auto& [number, run] : finished_) {
      count_earlier(number);
      count(std::move(run));
    }
    count_earlier(std::numeric_limits<std::int64_t>::max());
  }

  /// Counts the earlier trials with numbers below `end`.
  void count_earlier(std::int64_t end) {
    for (const Trial* next = earlier_.next(); next != nullptr && next->number < end;
         next = earlier_.next()) {
      count({.trial = earlier_.take()});
    }
  }

  void count(TrialRun run) {
    if (!is_unfinished(run.trial)) progress_.add(run.trial);
    keep(std::move(run));
  }

  StudyStore& store_;
  EarlierTrials earlier_;  // of earlier runs; taken when they are proposed again
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
