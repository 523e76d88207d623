#include <gtest/gtest.h>

#include <algorithm>

#include "search/problems.h"

namespace quantsearch {
namespace {

constexpr int kPoints = 8;

/// Some trials fail; the value depends on the point alone.
TrialOutcome score(const Point& point) {
  const double x = point.at("x").as_double();
  if (x == 5) return TrialFailure{.reason = "five", .details = {}};
  return TrialSuccess{.value = (x - 3) * (x - 3) / 7,
                      .is_candidate = x > 1 && x < 6,
                      .details = Value::Map{{"x", x}}};
}

Expected seconds_of(const Point& point) { return {.seconds = 1 + point.at("x").as_double()}; }

std::unique_ptr<Sampler> sampler_of(bool random) {
  if (random) return random_sampler(line_space(kPoints), keep_all, seconds_of, {.seed = 4});
  return grid_sampler(line_space(kPoints), keep_all, seconds_of);
}

/// Times are all zero, so that trials can be compared.
SearchOptions options_of() {
  SearchOptions options;
  options.now = [] { return Clock::time_point{}; };
  return options;
}

Study search(bool random, StudyStore& store, SearchOptions options, int& runs) {
  const auto objective = [&runs](const TrialRequest& request) {
    ++runs;
    return score(request.point);
  };
  const auto sampler = sampler_of(random);
  return optimize(*sampler, objective, options, store);
}

void expect_equal(const Study& study, const Study& other) {
  EXPECT_EQ(study.trials, other.trials);
  EXPECT_EQ(study.best, other.best);
  EXPECT_EQ(study.candidates, other.candidates);
}

TEST(Resume, AfterAnyTrialGivesTheStudyOfAnUninterruptedRun) {
  for (const bool random : {false, true}) {
    int runs = 0;
    const auto whole_store = in_memory_store();
    const Study whole = search(random, *whole_store, options_of(), runs);
    ASSERT_EQ(whole.trials.size(), static_cast<std::size_t>(kPoints));
    for (int stop = 1; stop <= kPoints; ++stop) {
      const auto store = in_memory_store();
      runs = 0;
      SearchOptions first = options_of();
      first.stop.iteration_limit = stop;
      (void)search(random, *store, first, runs);
      EXPECT_EQ(runs, stop);
      expect_equal(search(random, *store, options_of(), runs), whole);
      EXPECT_EQ(runs, kPoints);
    }
  }
}

TEST(Resume, ACancelledTrialIsRunAgainUnderItsNumber) {
  for (const bool random : {false, true}) {
    int runs = 0;
    const auto whole_store = in_memory_store();
    const Study whole = search(random, *whole_store, options_of(), runs);
    for (int stop = 0; stop < kPoints; ++stop) {
      const auto store = in_memory_store();
      const SearchOptions options = options_of();
      const auto objective = [&](const TrialRequest& request) {
        if (request.number == stop) options.token.cancel();
        request.token.throw_if_cancelled();
        return score(request.point);
      };
      const auto sampler = sampler_of(random);
      const Study half = optimize(*sampler, objective, options, *store);
      EXPECT_EQ(half.trials.back().state, TrialState::interrupted);
      expect_equal(search(random, *store, options_of(), runs), whole);
    }
  }
}

TEST(Resume, StopConditionsCountEarlierTrials) {
  const auto store = in_memory_store();
  int runs = 0;
  SearchOptions options = options_of();
  options.stop.iteration_limit = 3;
  (void)search(false, *store, options, runs);
  const Study again = search(false, *store, options, runs);
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(again.trials.size(), 3U);
  EXPECT_EQ(again.stop_message, "iteration limit reached: 3 of 3 trials");
  options.stop.iteration_limit = 5;
  EXPECT_EQ(search(false, *store, options, runs).trials.size(), 5U);
  EXPECT_EQ(runs, 5);
  options.stop = {};
  options.stop.find_n_candidates = 3;  // x = 2, 3, 4
  EXPECT_EQ(search(false, *store, options, runs).stop_message, "enough candidates found: 3 of 3");
  EXPECT_EQ(runs, 5);
  options.stop = {};
  options.stop.find_best_candidate = 1;  // x = 3 was the best, x = 4 is not
  EXPECT_EQ(search(false, *store, options, runs).stop_message,
            "no improvement on trial 3 for 1 of 1 complete trials");
  EXPECT_EQ(runs, 5);
}

TEST(Resume, TheSamplerIsToldEarlierTrialsInTheOrderOfItsProposals) {
  class Told final : public Sampler {
   public:
    std::optional<Point> ask() override {
      return next_ < 4 ? std::optional<Point>(Point{{"x", next_++}}) : std::nullopt;
    }
    void tell(const Trial& finished) override { told.push_back(finished.number); }
    std::optional<std::int64_t> remaining() const override { return 4 - next_; }
    std::vector<std::int64_t> told;

   private:
    int next_ = 0;
  };
  const auto store = in_memory_store();
  SearchOptions options = options_of();
  options.stop.iteration_limit = 2;
  const auto objective = [](const TrialRequest& request) { return score(request.point); };
  Told first;
  (void)optimize(first, objective, options, *store);
  Told second;
  (void)optimize(second, objective, options_of(), *store);
  EXPECT_EQ(second.told, (std::vector<std::int64_t>{0, 1, 2, 3}));
}

TEST(Resume, TrialsOutsideTheSpaceAreKept) {
  const auto store = in_memory_store();
  Trial trial;
  trial.number = 6;
  trial.state = TrialState::complete;
  trial.point = {{"y", 1}};
  trial.value = -1;
  store->save(trial);
  int runs = 0;
  const Study study = search(false, *store, options_of(), runs);
  EXPECT_EQ(runs, kPoints);
  EXPECT_EQ(study.best, 3) << "trial 6 has the better value, but is no candidate";
  EXPECT_EQ(study.trials.size(), static_cast<std::size_t>(kPoints + 1));
  EXPECT_EQ(study.trials.back().number, kPoints);  // number 6 is taken by the earlier trial
}

TEST(Resume, ATrialThatWasRunningIsRunAgain) {
  const auto store = in_memory_store();
  Trial trial;
  trial.point = {{"x", 0}};
  store->save(trial);
  int runs = 0;
  const Study study = search(false, *store, options_of(), runs);
  EXPECT_EQ(runs, kPoints);
  EXPECT_EQ(study.trials.size(), static_cast<std::size_t>(kPoints));
}

}  // namespace
}  // namespace quantsearch
