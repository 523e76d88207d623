// Tests of one process's part in a shared study. The stores with real leases are tested in the
// storage room; here the store simulates the other process.

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <utility>

#include "quantsearch/search/study.h"

namespace quantsearch {
namespace {

/// Proposes x = 0, 1, 2, 3.
class Counter final : public Sampler {
 public:
  explicit Counter(bool is_fixed = false) : is_fixed_(is_fixed) {}
  bool is_fixed() const override { return is_fixed_; }
  std::optional<Point> ask() override {
    ++asked;
    return next_ < 4 ? std::optional(Point{{"x", next_++}}) : std::nullopt;
  }
  void tell(const Trial& finished) override { told.push_back(finished.number); }
  void see_running(std::int64_t next_number, const std::vector<Trial>& running) override {
    next_numbers.push_back(next_number);
    running_counts.push_back(running.size());
  }
  std::optional<std::int64_t> remaining() const override { return std::nullopt; }
  std::vector<std::int64_t> told;
  std::vector<std::int64_t> next_numbers;
  std::vector<std::size_t> running_counts;
  int asked = 0;

 private:
  std::int64_t next_ = 0;
  bool is_fixed_;
};

/// Trials in `lost` are finished by another process, with the value 100, before this one can.
class StoreWithARival : public SharedStudyStore {
 public:
  StoreWithARival(std::set<std::int64_t> lost, std::vector<Trial> earlier)
      : lost_(std::move(lost)), earlier_(std::move(earlier)) {
    next_ = static_cast<std::int64_t>(earlier_.size());
  }

  void visit(const std::function<void(Trial&&)>& take) override {
    for (const Trial& trial : earlier_) take(Trial(trial));
  }
  void save(const Trial& finished) override { finished_[finished.number] = finished; }
  bool finish(const Trial& finished) override {
    running_.erase(finished.number);
    Trial kept = finished;
    if (lost_.contains(finished.number)) kept.value = 100;
    save(kept);
    return !lost_.contains(finished.number);
  }
  std::optional<Trial> begin(const Propose& propose, const Learn& learn) override {
    News news;
    std::vector<Trial> before;  // the others end while the lock is waited for
    for (const auto& [number, trial] : finished_) {
      (number % 2 == 0 ? before : news.finished).push_back(trial);
    }
    finished_.clear();  // each piece of news is told once
    learn(before);
    for (const auto& [number, trial] : running_) news.running.push_back(trial);
    const std::optional<Point> point = propose(news);
    if (!point) return std::nullopt;
    Trial trial;
    trial.number = next_++;
    trial.point = *point;
    trial.state = TrialState::running;
    running_[trial.number] = trial;
    return trial;
  }
  void keep_alive() override {}
  double lease_seconds() const override { return 60; }

 private:
  std::set<std::int64_t> lost_;
  std::vector<Trial> earlier_;
  std::map<std::int64_t, Trial> finished_;  // since the last begin()
  std::map<std::int64_t, Trial> running_;
  std::int64_t next_ = 0;
};

TrialOutcome value_without_candidates(const TrialRequest& request) {
  return TrialSuccess{
      .value = request.point.at("x").as_double(), .is_candidate = false, .details = {}};
}

struct Seen {
  Study study;
  std::vector<std::int64_t> told;
  std::vector<std::int64_t> reported;
};

Seen searched(std::set<std::int64_t> lost, std::vector<Trial> earlier = {}) {
  Seen seen;
  Counter sampler;
  StoreWithARival store(std::move(lost), std::move(earlier));
  const SearchOptions options{.on_trial = [&](const Trial& trial, const TrialProduct&) {
    seen.reported.push_back(trial.number);
  }};
  seen.study = optimize_shared(sampler, value_without_candidates, options, store);
  seen.told = sampler.told;
  return seen;
}

using Numbers = std::vector<std::int64_t>;

TEST(OptimizeShared, AloneItRunsEveryPoint) {
  const Seen seen = searched({});
  EXPECT_EQ(seen.told, (Numbers{0, 1, 2, 3}));
  EXPECT_EQ(seen.reported, (Numbers{0, 1, 2, 3}));
  EXPECT_EQ(seen.study.best, 0);
  EXPECT_EQ(seen.study.stop_reason, StopReason::space_exhausted);
}

// Regression: a process ran trials again that had finished before it joined the study.
TEST(OptimizeShared, TheSamplerSeesTheNextNumberAndWhatRuns) {
  Counter sampler;
  Trial earlier;
  earlier.state = TrialState::complete;
  earlier.point = {{"x", 7}};
  earlier.value = 7;
  StoreWithARival store({}, {earlier});
  (void)optimize_shared(sampler, value_without_candidates, {.jobs = 1}, store);
  EXPECT_EQ(sampler.next_numbers, (Numbers{1, 2, 3, 4, 5}));
  EXPECT_EQ(sampler.running_counts, (std::vector<std::size_t>{0, 0, 0, 0, 0}));
}

TEST(OptimizeShared, TrialsFinishedBeforeItsStartAreNotRunAgain) {
  Trial earlier{.number = 0,
                .state = TrialState::complete,
                .point = {{"x", 2}},
                .value = 2,
                .reason = {},
                .details = {}};
  const Seen seen = searched({}, {earlier});
  EXPECT_EQ(seen.told, (Numbers{0, 1, 2, 3}));
  EXPECT_EQ(seen.reported, (Numbers{1, 2, 3}));
  std::set<std::int64_t> points;
  for (const Trial& trial : seen.study.trials) points.insert(trial.point.at("x").as_int());
  EXPECT_EQ(points, (std::set<std::int64_t>{0, 1, 2, 3}));
  EXPECT_EQ(seen.study.trials.size(), 4U);
}

Trial ended_at(std::int64_t number, std::int64_t x) {
  return {.number = number,
          .state = TrialState::complete,
          .point = {{"x", x}},
          .value = static_cast<double>(x),
          .reason = {},
          .details = {}};
}

TEST(OptimizeShared, AFixedSamplerPassesWhatTheStudyHasBeforeOthersHaveToWait) {
  for (const bool is_fixed : {false, true}) {
    StoreWithARival store({}, {ended_at(0, 0), ended_at(1, 1)});
    Counter sampler(is_fixed);
    int asked = -1;
    SearchOptions options;
    options.on_earlier_end = [&] { asked = sampler.asked; };
    const Study study = optimize_shared(sampler, value_without_candidates, options, store);
    EXPECT_EQ(asked, is_fixed ? 3 : 0);
    EXPECT_EQ(study.trials.size(), 4U);
    EXPECT_EQ(sampler.told, (Numbers{0, 1, 2, 3}));
  }
}

/// Another process begins x = 0 after this one has read the study, and its trial ends at once.
class StoreWithAFastRival final : public StoreWithARival {
 public:
  StoreWithAFastRival() : StoreWithARival({}, {}) {}
  std::optional<Trial> begin(const Propose& propose, const Learn& learn) override {
    const auto with_rival = [&](const News& news) {
      News more = news;
      if (!std::exchange(is_over_, true)) more.finished.push_back(ended_at(9, 0));
      return propose(more);
    };
    return StoreWithARival::begin(with_rival, learn);
  }

 private:
  bool is_over_ = false;
};

TEST(OptimizeShared, AFixedSamplerDoesNotRepeatWhatOthersHaveTakenSince) {
  StoreWithAFastRival store;
  Counter sampler(true);
  std::vector<std::int64_t> ran;
  SearchOptions options;
  options.on_start = [&ran](std::int64_t, const Point& point) {
    ran.push_back(point.at("x").as_int());
  };
  (void)optimize_shared(sampler, value_without_candidates, options, store);
  EXPECT_EQ(ran, (Numbers{1, 2, 3}));
}

TEST(OptimizeShared, SaysWhatTheStudyHasBeforeATrialStarts) {
  Trial ended{.number = 0,
              .state = TrialState::complete,
              .point = {{"x", 2}},
              .value = 2,
              .reason = {},
              .details = {}};
  Trial running{.number = 1, .point = {{"x", 7}}, .value = {}, .reason = {}, .details = {}};
  StoreWithARival store({}, {ended, running});
  Counter sampler;
  std::vector<Trial> said;
  bool is_all = false;
  SearchOptions options;
  options.on_start = [&](std::int64_t, const Point&) { EXPECT_TRUE(is_all); };
  options.on_earlier = [&](const Trial& trial) { said.push_back(trial); };
  options.on_earlier_end = [&] { is_all = true; };
  (void)optimize_shared(sampler, value_without_candidates, options, store);
  EXPECT_EQ(said, (std::vector<Trial>{ended, running}));
}

TEST(OptimizeShared, ATrialWhoseLeaseWasLostCountsWithTheResultOfTheProcessThatTookItOver) {
  const Seen seen = searched({0});
  EXPECT_EQ(seen.told, (Numbers{0, 1, 2, 3}));   // each once, with the news
  EXPECT_EQ(seen.reported, (Numbers{1, 2, 3}));  // trial 0 is not a result of this process
  ASSERT_EQ(seen.study.trials.size(), 4U);
  EXPECT_EQ(seen.study.trials[0].value, 100);
  EXPECT_EQ(seen.study.best, 1);
}

TEST(OptimizeShared, TheLeaseOfTheLastTrialMayBeLost) {
  const Seen seen = searched({3});
  EXPECT_EQ(seen.told, (Numbers{0, 1, 2, 3}));
  ASSERT_EQ(seen.study.trials.size(), 4U);
  EXPECT_EQ(seen.study.trials[3].value, 100);
  EXPECT_EQ(seen.study.stop_reason, StopReason::space_exhausted);
}

}  // namespace
}  // namespace quantsearch
