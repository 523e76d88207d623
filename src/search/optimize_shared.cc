#include <fmt/core.h>

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_set>

#include "quantsearch/search/study.h"
#include "search/run_trial.h"
#include "search/study_progress.h"
#include "search/workers.h"

namespace quantsearch {

namespace {

/// One process's part of a study that several work on.
class SharedSearch {
 public:
  SharedSearch(Sampler& sampler, const Objective& objective, const SearchOptions& options, SharedStudyStore& store)
      : sampler_(sampler), options_(options), store_(store), start_(options.now()), progress_(options.goal, options.stop),
        limits_(options, start_), running_(options.token.child()),
        workers_(options.jobs, [this, &objective](Trial& trial) { limits_.run(trial, objective, running_); }) {}

  Study run() {
    for (const Trial& trial : store_.load()) {
      if (trial.state != TrialState::running) learn(trial);  // the running ones come with the news
    }
    const std::jthread heart([this](const std::stop_token& stop) { beat(stop); });
    while (!ended()) {
      if (workers_.outstanding() < options_.jobs && begin()) continue;
      if (workers_.outstanding() > 0) {
        take(workers_.next_finished());
      } else if (others_running_ > 0) {
        std::this_thread::sleep_for(pause());  // until they finish, or die and leave their trials
      } else {
        end({.reason = StopReason::space_exhausted, .message = fmt::format("space exhausted: all {} points tried", progress_.finished())});
      }
    }
    finish();
    return std::move(study_);
  }

 private:
  /// False when there is nothing to begin now.
  bool begin() {
    const std::optional<Trial> trial = store_.begin([this](const SharedStudyStore::News& news) { return propose(news); });
    if (!trial) return false;
    mine_.insert(trial->number);
    if (options_.on_rival) options_.on_rival(trial->number, progress_.best());
    if (options_.on_start) options_.on_start(trial->number, trial->point);
    workers_.submit(*trial);
    return true;
  }

  std::optional<Point> propose(const SharedStudyStore::News& news) {
    for (const Trial& trial : news.finished) learn(trial);
    others_running_ = 0;
    for (const Trial& trial : news.running) {
      taken_.insert(key_of(trial.point));
      if (!mine_.contains(trial.number)) ++others_running_;
    }
    if (ended() || !sampler_.is_ready()) return std::nullopt;
    const auto open = static_cast<std::int64_t>(news.running.size());
    if (const auto& limit = options_.stop.iteration_limit; limit && progress_.finished() + open >= *limit) return std::nullopt;
    while (std::optional<Point> point = sampler_.ask()) {
      if (taken_.insert(key_of(*point)).second) return point;
    }
    return std::nullopt;
  }

  void learn(const Trial& trial) {
    if (!seen_.insert(trial.number).second) return;
    taken_.insert(key_of(trial.point));
    progress_.add(trial);
    sampler_.tell(trial);
    study_.trials.push_back(trial);
  }

  void take(const Trial& trial) {
    mine_.erase(trial.number);
    if (trial.state == TrialState::running) return;  // its turn came when the search was over
    const bool cut_off = trial.state == TrialState::interrupted && (ended_ || options_.token.is_cancelled() || limits_.is_over());
    if (cut_off) {
      cut_off_.push_back(trial);  // its lease runs out and another process runs it again
    } else if (store_.finish(trial)) {
      learn(trial);
    } else {
      return;  // its lease ran out and another process has it: its result comes with the news
    }
    if (options_.on_trial) options_.on_trial(trial);
  }

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

  void finish() {
    running_.cancel();
    workers_.drop_waiting();
    while (workers_.outstanding() > 0) take(workers_.next_finished());
    std::ranges::move(cut_off_, std::back_inserter(study_.trials));
    std::ranges::stable_sort(study_.trials, {}, &Trial::number);
    study_.best = progress_.best_number();
    study_.candidates = rank_candidates(study_.trials, options_.goal);
    study_.seconds = seconds_between(start_, options_.now());
  }

  [[nodiscard]] std::chrono::duration<double> pause() const {
    return std::chrono::duration<double>(std::min(store_.lease_seconds() / 4, 0.25));
  }

  /// Keeps the leases while the trials run.
  void beat(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any tick;
    std::unique_lock lock(mutex);
    const std::chrono::duration<double> interval(store_.lease_seconds() / 4);
    while (!tick.wait_for(lock, stop, interval, [&stop] { return stop.stop_requested(); })) store_.keep_alive();
  }

  Sampler& sampler_;
  const SearchOptions& options_;
  SharedStudyStore& store_;
  Clock::time_point start_;
  StudyProgress progress_;
  TrialLimits limits_;
  CancellationToken running_;
  Study study_;
  std::set<std::int64_t> mine_;        // running here
  std::set<std::int64_t> seen_;        // finished, anywhere
  std::unordered_set<Key> taken_;      // points that somebody runs or has run
  std::vector<Trial> cut_off_;         // by the end of this search
  std::int64_t others_running_ = 0;
  bool ended_ = false;
  Workers workers_;  // last: its threads use the others
};

}  // namespace

Study optimize_shared(Sampler& sampler, const Objective& objective, const SearchOptions& options, SharedStudyStore& store) {
  check_search(options);
  return SharedSearch(sampler, objective, options, store).run();
}

}  // namespace quantsearch
