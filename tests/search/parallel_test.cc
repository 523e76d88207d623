// Several trials at a time: the result must not depend on how long each trial takes.

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "search/problems.h"

namespace quantsearch {
namespace {

/// Proposes x = n and as y a weighted sum of all values it was told, so that every proposal depends
/// on all earlier results.
class Learner final : public Sampler {
 public:
  std::optional<Point> ask() override {
    asked_with.push_back(told);
    return Point{{"x", next_++}, {"y", sum_}};
  }
  void tell(const Trial& finished) override {
    ++told;
    if (finished.value) sum_ += *finished.value * static_cast<double>(finished.number + 1);
  }
  bool learns() const override { return true; }
  std::optional<std::int64_t> remaining() const override { return std::nullopt; }
  std::vector<std::int64_t> asked_with;
  std::int64_t told = 0;

 private:
  std::int64_t next_ = 0;
  double sum_ = 0;
};

/// Spins for a time that differs in every run.
void dawdle() {
  thread_local std::mt19937 random(std::random_device{}());
  std::atomic<int> spins = 0;
  for (auto wanted = static_cast<int>(random() % 20'000); spins < wanted; ++spins) {
  }
}

TrialOutcome parabola(const TrialRequest& request) {
  dawdle();
  const double x = request.point.at("x").as_double();
  if (request.number % 7 == 3) return TrialFailure{.reason = "three", .details = {}};
  return TrialSuccess{
      .value = (x - 9) * (x - 9), .is_candidate = x > 4, .details = Value::Map{{"x", x}}};
}

SearchOptions options_of(int jobs, std::int64_t limit) {
  SearchOptions options;
  options.jobs = jobs;
  options.now = [] { return Clock::time_point{}; };
  options.stop.iteration_limit = limit;
  return options;
}

TEST(ParallelTrials, TheResultsToldToALearningSamplerDependOnlyOnTheNumber) {
  constexpr std::int64_t kLimit = 30;
  for (const int jobs : {1, 2, 4}) {
    std::vector<std::int64_t> expected;
    for (std::int64_t number = 0; number < kLimit; ++number)
      expected.push_back(std::max<std::int64_t>(0, number - (2 * jobs - 2)));
    std::vector<Trial> first;
    for (int run = 0; run < 3; ++run) {
      Learner sampler;
      const auto store = in_memory_store();
      const Study study = optimize(sampler, parabola, options_of(jobs, kLimit), *store);
      ASSERT_EQ(study.trials.size(), static_cast<std::size_t>(kLimit));
      EXPECT_EQ(sampler.asked_with, expected) << jobs;
      if (run == 0) first = study.trials;
      EXPECT_EQ(study.trials, first) << jobs;
    }
  }
}

TEST(ParallelTrials, AGridGivesTheStudyOfOneJob) {
  const auto run = [](int jobs, const StopConditions& stop) {
    const auto sampler = grid_sampler(line_space(24), keep_all, one_second);
    const auto store = in_memory_store();
    SearchOptions options = options_of(jobs, 1000);
    options.stop = stop;
    return optimize(*sampler, parabola, options, *store);
  };
  StopConditions candidates;
  candidates.find_n_candidates = 4;
  StopConditions patience;
  patience.find_best_candidate = 3;
  for (const StopConditions& stop : {StopConditions{}, candidates, patience}) {
    const Study one = run(1, stop);
    for (const int jobs : {2, 3, 8}) {
      const Study several = run(jobs, stop);
      EXPECT_EQ(several.trials, one.trials);
      EXPECT_EQ(several.best, one.best);
      EXPECT_EQ(several.candidates, one.candidates);
      EXPECT_EQ(several.stop_message, one.stop_message);
    }
  }
}

TEST(ParallelTrials, RunAtTheSameTime) {
  constexpr int kJobs = 3;
  std::atomic<int> inside = 0;
  const auto objective = [&](const TrialRequest& request) -> TrialOutcome {
    ++inside;
    if (request.number < kJobs) {
      while (inside < kJobs) std::this_thread::yield();  // would hang if the trials ran one by one
    }
    return TrialSuccess{.value = 0, .is_candidate = false, .details = {}};
  };
  const auto sampler = grid_sampler(line_space(9), keep_all, one_second);
  const auto store = in_memory_store();
  EXPECT_EQ(optimize(*sampler, objective, options_of(kJobs, 9), *store).trials.size(), 9U);
}

TEST(ParallelTrials, ATrialIsSavedBeforeSlowerTrialsWithLowerNumbersFinish) {
  std::atomic<bool> second_saved = false;
  class Watch final : public StudyStore {
   public:
    explicit Watch(std::atomic<bool>& saved) : saved_(saved) {}
    void visit(const std::function<void(Trial&&)>& /*take*/) override {}
    void save(const Trial& finished) override {
      order.push_back(finished.number);
      if (finished.number == 1) saved_ = true;
    }
    std::vector<std::int64_t> order;

   private:
    std::atomic<bool>& saved_;
  };
  Watch store(second_saved);
  const auto objective = [&](const TrialRequest& request) -> TrialOutcome {
    while (request.number == 0 && !second_saved) std::this_thread::yield();
    return TrialSuccess{.value = 0, .is_candidate = false, .details = {}};
  };
  std::vector<std::int64_t> reported;
  SearchOptions options = options_of(2, 4);
  options.on_trial = [&](const Trial& trial, const TrialProduct&) {
    reported.push_back(trial.number);
  };
  const auto sampler = grid_sampler(line_space(4), keep_all, one_second);
  (void)optimize(*sampler, objective, options, store);
  EXPECT_EQ(store.order.front(), 1);
  EXPECT_EQ(reported, (std::vector<std::int64_t>{0, 1, 2, 3}));
}

TEST(ParallelTrials, CancellationEndsAllRunningTrials) {
  SearchOptions options = options_of(3, 100);
  std::atomic<int> inside = 0;
  const auto objective = [&](const TrialRequest& request) -> TrialOutcome {
    if (++inside == 3) options.token.cancel();
    while (true) request.token.throw_if_cancelled();
  };
  const auto sampler = grid_sampler(line_space(50), keep_all, one_second);
  const auto store = in_memory_store();
  const Study study = optimize(*sampler, objective, options, *store);
  EXPECT_EQ(study.stop_reason, StopReason::cancelled);
  ASSERT_EQ(study.trials.size(), 3U);
  for (const Trial& trial : study.trials) EXPECT_EQ(trial.state, TrialState::interrupted);
  EXPECT_TRUE(store->load().empty());
}

/// The store contains what a killed process leaves: finished trials with gaps in their numbers.
TEST(ParallelTrials, AResumedStudyEqualsAnUninterruptedOneWhicheverTrialsHadFinished) {
  constexpr std::int64_t kLimit = 14;
  for (const int jobs : {1, 2, 4}) {
    Learner undisturbed_sampler;
    const auto undisturbed_store = in_memory_store();
    const Study whole =
        optimize(undisturbed_sampler, parabola, options_of(jobs, kLimit), *undisturbed_store);
    for (std::size_t kept = 0; kept < whole.trials.size(); ++kept) {
      const auto store = in_memory_store();
      for (std::size_t i = 0; i < kept; ++i) store->save(whole.trials[i]);
      // The next trial may still have been running while later ones had finished.
      for (std::size_t i = kept + 1;
           i < std::min(kept + static_cast<std::size_t>(2 * jobs - 1), whole.trials.size()); ++i)
        store->save(whole.trials[i]);
      Learner sampler;
      const Study resumed = optimize(sampler, parabola, options_of(jobs, kLimit), *store);
      EXPECT_EQ(resumed.trials, whole.trials) << jobs << " jobs, " << kept << " kept";
      EXPECT_EQ(resumed.best, whole.best);
    }
  }
}

/// Proposes four points, and is not ready to propose more until the results of all four are told.
class TwoSteps final : public Sampler {
 public:
  std::optional<Point> ask() override {
    if (next_ < 4) return Point{{"x", next_++}};
    if (next_ == 8) return std::nullopt;
    return Point{{"x", next_++}, {"best", best_}};
  }
  void tell(const Trial& finished) override {
    ++told_;
    best_ = std::min(best_, finished.value.value_or(1e9));
  }
  bool is_ready() const override { return next_ < 4 || told_ >= 4; }
  bool learns() const override { return true; }
  std::optional<std::int64_t> remaining() const override { return 8 - next_; }

 private:
  int next_ = 0;
  int told_ = 0;
  double best_ = 1e9;
};

TEST(ParallelTrials, WaitForASamplerThatIsNotReady) {
  for (const int jobs : {1, 3}) {
    TwoSteps sampler;
    const auto store = in_memory_store();
    const Study study = optimize(sampler, parabola, options_of(jobs, 100), *store);
    ASSERT_EQ(study.trials.size(), 8U);
    // The best of x = 0, 1, 2; trial 3 fails.
    EXPECT_EQ(study.trials[4].point.at("best"), Value(49.0));
    EXPECT_EQ(study.stop_reason, StopReason::space_exhausted);
  }
}

TEST(ParallelTrials, RefuseLessThanOneJob) {
  EXPECT_EQ(message_of<InvalidInput>([] {
              const auto sampler = grid_sampler(line_space(2), keep_all, one_second);
              const auto store = in_memory_store();
              (void)optimize(*sampler, parabola, options_of(0, 2), *store);
            }),
            "search: got 0 jobs, expected at least 1");
}

/// Two places with room for one trial each.
class TwoPlaces {
 public:
  [[nodiscard]] Places places() {
    return {.take = [this](const CancellationToken& token) { return take(token); },
            .leave = [this](std::int64_t place) { leave(place); }};
  }
  [[nodiscard]] std::set<std::int64_t> free() const { return free_; }

 private:
  std::optional<std::int64_t> take(const CancellationToken& token) {
    while (!token.is_cancelled()) {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) return free_.extract(free_.begin()).value();
    }
    return std::nullopt;
  }
  void leave(std::int64_t place) {
    const std::lock_guard lock(mutex_);
    free_.insert(place);
  }

  std::mutex mutex_;
  std::set<std::int64_t> free_ = {5, 6};
};

TEST(ParallelTrials, PlacesChangeNoResult) {
  const Space space({{.name = "x", .choices = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}});
  const CostModel cost = [](const Point& point) {
    KeyBuilder group;
    group.add(point.at("x").as_int() / 4);
    return Expected{.prefix = {group.finish()}};
  };
  const Normalize as_is = [](const Point& raw) { return std::variant<Point, Rejected>(raw); };
  SearchOptions options = options_of(1, 12);
  const auto alone = grid_sampler(space, as_is, cost);
  const Study expected = optimize(*alone, parabola, options, *in_memory_store());
  options.jobs = 2;
  options.cost = cost;
  for (const std::int64_t ahead : {4, 16}) {
    options.ahead_per_job = ahead;
    TwoPlaces two;
    options.places = two.places();
    std::mutex mutex;
    std::set<std::optional<std::int64_t>> used;
    const Objective objective = [&](const TrialRequest& request) {
      {
        const std::lock_guard lock(mutex);
        used.insert(request.place);
      }
      return parabola(request);
    };
    const auto sampler = grid_sampler(space, as_is, cost);
    const Study study = optimize(*sampler, objective, options, *in_memory_store());
    EXPECT_EQ(study.trials, expected.trials);
    EXPECT_EQ(study.best, expected.best);
    for (const auto& place : used) EXPECT_TRUE(place == 5 || place == 6);
    EXPECT_EQ(two.free(), (std::set<std::int64_t>{5, 6}));
  }
}

TEST(ParallelTrials, TheTimeLimitEndsTheWaitForAPlace) {
  SearchOptions options;
  options.jobs = 2;
  options.stop.time_limit_seconds = 0.05;
  options.cost = [](const Point&) { return Expected{}; };
  options.places = Places{.take =
                              [](const CancellationToken& token) {
                                while (!token.is_cancelled()) std::this_thread::yield();
                                return std::nullopt;
                              },
                          .leave = [](std::int64_t) { ADD_FAILURE(); }};
  Learner sampler;
  const Study study = optimize(sampler, parabola, options, *in_memory_store());
  EXPECT_EQ(study.stop_reason, StopReason::time_limit);
  EXPECT_TRUE(study.trials.empty());
}

TEST(ParallelTrials, WithoutPlacesAnyMoreTheObjectiveIsAsked) {
  SearchOptions options = options_of(2, 3);
  options.cost = [](const Point&) { return Expected{}; };
  options.places = Places{.take = [](const CancellationToken&) { return std::nullopt; },
                          .leave = [](std::int64_t) { ADD_FAILURE(); }};
  Learner sampler;
  const Objective objective = [](const TrialRequest& request) {
    EXPECT_EQ(request.place, std::nullopt);
    return TrialOutcome(TrialFailure{.reason = "no place", .details = {}});
  };
  const Study study = optimize(sampler, objective, options, *in_memory_store());
  ASSERT_EQ(study.trials.size(), 3U);
  EXPECT_EQ(study.trials[0].reason, "no place");
}

}  // namespace
}  // namespace quantsearch
