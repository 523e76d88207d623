#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <unordered_set>
#include <utility>

#include "quantsearch/search/study.h"
#include "search/search_loop.h"

namespace quantsearch {

namespace {

constexpr double kFirstPauseSeconds = 0.25;
constexpr double kLongestPauseSeconds = 4;

/// The part of one process in a shared study: results count in the order in which they arrive.
class SharedSearch final : public SearchLoop {
 public:
  SharedSearch(Sampler& sampler, const Objective& objective, const SearchOptions& options,
               SharedStudyStore& store)
      : SearchLoop(sampler, objective, options), store_(store) {}

 private:
  void load() override {
    store_.visit([this](const Trial& trial) {
      if (options_.on_earlier) options_.on_earlier(trial);
      if (trial.state != TrialState::running) learn(trial);  // running trials are part of the news
    });
    // The points of a million trials take seconds, which no other process should wait for.
    if (sampler_.is_fixed()) next_ = free_point();
    if (options_.on_earlier_end) options_.on_earlier_end();
    heart_ = std::jthread([this](const std::stop_token& stop) { beat(stop); });
  }

  bool begin() override {
    if (outstanding() >= options_.jobs) return false;
    std::optional<Trial> trial;
    try {
      trial = store_.begin([this](const SharedStudyStore::News& news) { return propose(news); },
                           [this](const std::vector<Trial>& finished) { learn(finished); });
    } catch (const StudyLost& error) {
      end({.reason = StopReason::study_lost, .message = error.what()});
    }
    if (!trial) return false;
    mine_.insert(trial->number);
    pause_seconds_ = kFirstPauseSeconds;
    submit(*std::move(trial));
    return true;
  }

  std::optional<Point> propose(const SharedStudyStore::News& news) {
    learn(news.finished);
    others_running_ = 0;
    for (const Trial& trial : news.running) {
      taken_.insert(key_of(trial.point));
      if (!mine_.contains(trial.number)) ++others_running_;
    }
    if (ended() || !sampler_.is_ready()) return std::nullopt;
    const auto open = static_cast<std::int64_t>(news.running.size());
    if (const auto& limit = options_.stop.iteration_limit;
        limit && progress_.finished() + open >= *limit)
      return std::nullopt;
    sampler_.see_running(next_number(news), news.running);
    std::optional<Point> point = std::exchange(next_, std::nullopt);
    if (!point || taken_.contains(key_of(*point))) point = free_point();
    if (point) taken_.insert(key_of(*point));
    return point;
  }

  /// The next proposal that no process has taken.
  std::optional<Point> free_point() {
    std::optional<Point> point = sampler_.ask();
    while (point && taken_.contains(key_of(*point))) point = sampler_.ask();
    return point;
  }

  /// Numbers are given in sequence under the lock of the study, which is held.
  [[nodiscard]] std::int64_t next_number(const SharedStudyStore::News& news) const {
    const std::int64_t running = news.running.empty() ? -1 : news.running.back().number;
    return std::max(std::ssize(seen_), running + 1);
  }

  void learn(const std::vector<Trial>& finished) {
    for (const Trial& trial : finished) learn(trial);
  }

  void learn(const Trial& trial) {
    const auto number = static_cast<std::size_t>(trial.number);
    if (number >= seen_.size()) seen_.resize(number + 1);
    if (seen_[number]) return;
    seen_[number] = true;
    taken_.insert(key_of(trial.point));
    progress_.add(trial);
    sampler_.tell(trial);
    kept_.add(trial);
  }

  bool commit() override { return false; }

  void take(TrialRun run) override {
    mine_.erase(run.trial.number);
    if (run.trial.state == TrialState::running) return;  // the search ended before it began
    if (is_cut_off(run.trial)) {
      cut_off_.push_back(run.trial);  // its lease will expire and another process will run it again
    } else if (is_kept(run.trial)) {
      learn(run.trial);
    } else {
      // Another process took it over when its lease expired; its result comes with the news.
      return;
    }
    report(run);
  }

  /// Finishes a trial in the store. When the database is gone the result counts here alone.
  bool is_kept(const Trial& finished) {
    try {
      return study_.stop_reason == StopReason::study_lost || store_.finish(finished);
    } catch (const StudyLost& error) {
      end({.reason = StopReason::study_lost, .message = error.what()});
      return true;
    }
  }

  /// Waits a moment while trials of other processes run: they finish, or their leases expire. Each
  /// look costs the database as much as a trial does, and at the end of a search nearly all
  /// processes look, so that the pauses grow.
  bool wait() override {
    if (others_running_ == 0) return false;
    std::this_thread::sleep_for(
        std::chrono::duration<double>(std::min(store_.lease_seconds() / 4, pause_seconds_)));
    pause_seconds_ = std::min(2 * pause_seconds_, kLongestPauseSeconds);
    return true;
  }

  std::int64_t tried() const override { return progress_.finished(); }
  void complete_study() override {
    for (Trial& trial : cut_off_) kept_.add(std::move(trial));
  }

  void complete_details(std::vector<Trial>& trials) override {
    if (study_.stop_reason == StopReason::study_lost) return;
    try {
      store_.complete(trials);
    } catch (const StudyLost& error) {
      end({.reason = StopReason::study_lost, .message = error.what()});
    }
  }

  /// Extends the leases while trials run.
  void beat(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any tick;
    std::unique_lock lock(mutex);
    const std::chrono::duration<double> interval(store_.lease_seconds() / 4);
    while (!tick.wait_for(lock, stop, interval, [&stop] { return stop.stop_requested(); })) {
      try {
        store_.keep_alive();
      } catch (const IoError&) {
        return;  // the next call of the search fails too and ends it
      }
    }
  }

  SharedStudyStore& store_;
  std::set<std::int64_t> mine_;    // running in this process
  std::vector<bool> seen_;         // by number: finished, in any process
  std::unordered_set<Key> taken_;  // points that any process runs or has run
  std::optional<Point> next_;      // of a fixed sampler; was free when the study was read
  std::vector<Trial> cut_off_;     // interrupted by the end of this search
  std::int64_t others_running_ = 0;
  double pause_seconds_ = kFirstPauseSeconds;
  std::jthread heart_;
};

}  // namespace

Study optimize_shared(Sampler& sampler, const Objective& objective, const SearchOptions& options,
                      SharedStudyStore& store) {
  check_search(options);
  return SharedSearch(sampler, objective, options, store).run();
}

}  // namespace quantsearch
