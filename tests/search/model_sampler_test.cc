#include "quantsearch/search/model_sampler.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "search/problems.h"

namespace quantsearch {
namespace {

/// Records the calls of a scripted optimizer and holds the points that it proposes.
struct Script {
  std::vector<Coordinates> proposals = {};
  Domain domain = {};
  std::vector<Observation> told = {};
  std::vector<std::vector<Pending>> pending = {};
  std::vector<std::int64_t> numbers = {};
};

class Scripted final : public Optimizer {
 public:
  explicit Scripted(Script& script) : script_(script) {}
  std::optional<Coordinates> ask(std::int64_t number, std::span<const Pending> pending) override {
    script_.pending.emplace_back(pending.begin(), pending.end());
    script_.numbers.push_back(number);
    if (number >= static_cast<std::int64_t>(script_.proposals.size())) return std::nullopt;
    return script_.domain.canonical(script_.proposals[static_cast<std::size_t>(number)]);
  }
  void tell(const Observation& observation) override { script_.told.push_back(observation); }

 private:
  Script& script_;
};

MakeOptimizer scripted(Script& script) {
  return [&script](Domain domain) {
    script.domain = std::move(domain);
    return std::make_unique<Scripted>(script);
  };
}

Trial complete_at(std::int64_t number, const Point& point, double value) {
  Trial trial;
  trial.number = number;
  trial.state = TrialState::complete;
  trial.point = point;
  trial.value = value;
  return trial;
}

TEST(ModelSampler, OrdersListsOfNumbersButNoOtherLists) {
  const Space space(
      {{.name = "bits", .choices = {16, 4, 8}},
       {.name = "pair", .choices = {0.1, 0.2}},
       {.name = "type", .choices = {"a", "b", "c"}},
       {.name = "rate", .choices = {}, .range = FloatRange{.low = 0.1, .high = 1, .log = true}}});
  Script script{.proposals = {{0, 1, 2, 0.5}, {2, 0, 0, 0.25}}};
  const auto sampler = model_sampler(space, keep_all, scripted(script));
  EXPECT_EQ(script.domain.dimensions,
            (std::vector<SearchDimension>{Categories{.count = 3, .ordered = true},
                                          Categories{.count = 2}, Categories{.count = 3},
                                          FloatRange{.low = 0.1, .high = 1, .log = true}}));
  EXPECT_EQ(script.domain.points, nullptr);
  EXPECT_EQ(to_string(*sampler->ask()), "bits=4 pair=0.2 rate=0.5 type=c");
  EXPECT_EQ(to_string(*sampler->ask()), "bits=16 pair=0.1 rate=0.25 type=a");
  EXPECT_FALSE(sampler->ask());
}

TEST(ModelSampler, SettingsWithoutEffectAreInactive) {
  Script script{.proposals = {{0, 0, 0}, {1, 1, 1}, {2, 0, 0}}};
  const auto sampler = model_sampler(conditional_space(), conditional, scripted(script));
  ASSERT_NE(script.domain.points, nullptr);
  EXPECT_EQ(script.domain.points->size(), 7U);
  EXPECT_EQ(to_string(*sampler->ask()), "bits=8 method=minmax");
  EXPECT_FALSE(is_active(script.domain.canonical({0, 0, 0}).value()[1]));
  EXPECT_EQ(to_string(*sampler->ask()), "bits=16 method=percentile share=99.99");
  EXPECT_FALSE(script.domain.canonical({2, 0, 1}));  // entropy has no 16 bits
}

TEST(ModelSampler, NegatesMaximizedValuesAndKeepsPendingPoints) {
  Script script{.proposals = {{0}, {1}, {2}}};
  const auto sampler =
      model_sampler(line_space(3), keep_all, scripted(script), {.goals = {Goal::maximize}});
  const Point first = *sampler->ask();
  const Point second = *sampler->ask();
  sampler->tell(complete_at(0, first, 5));
  (void)sampler->ask();
  ASSERT_EQ(script.pending.size(), 3U);
  EXPECT_TRUE(script.pending[0].empty());
  ASSERT_EQ(script.pending[2].size(), 1U);
  EXPECT_EQ(script.pending[2][0].at, (Coordinates{1}));
  ASSERT_EQ(script.told.size(), 1U);
  EXPECT_EQ(script.told[0].objectives, (std::vector<double>{-5}));
  EXPECT_EQ(script.told[0].outcome, Outcome::complete);
  Trial failed = complete_at(1, second, 0);
  failed.state = TrialState::failed;
  failed.value.reset();
  sampler->tell(failed);
  EXPECT_EQ(script.told[1].outcome, Outcome::failed);
  EXPECT_TRUE(script.told[1].objectives.empty());
}

TEST(ModelSampler, TrialsOfOtherProcessesArePendingAndSetTheNumber) {
  Script script{.proposals = {{0}, {1}, {2}, {3}, {0}}};
  const auto sampler = model_sampler(line_space(5), keep_all, scripted(script));
  Trial own = complete_at(0, *sampler->ask(), 0);
  Trial other = complete_at(2, {{"x", 4}}, 0);
  own.state = other.state = TrialState::running;
  sampler->see_running(3, {own, other});
  ASSERT_TRUE(sampler->ask());
  EXPECT_EQ(script.numbers, (std::vector<std::int64_t>{0, 3}));
  ASSERT_EQ(script.pending[1].size(), 2U);  // its own trial once
  EXPECT_EQ(script.pending[1][0].at, (Coordinates{0}));
  EXPECT_EQ(script.pending[1][1].at, (Coordinates{4}));
  EXPECT_EQ(sampler->remaining(), 2);
  sampler->see_running(4, {});
  (void)sampler->ask();
  EXPECT_EQ(script.pending[2].size(), 2U);  // only its own two
}

TEST(ModelSampler, SamplersOfTwoProcessesLearnTheSame) {
  const Space space({{.name = "x", .choices = {}, .range = FloatRange{.low = -5, .high = 5}},
                     {.name = "y", .choices = {}, .range = FloatRange{.low = -5, .high = 5}}});
  const MakeOptimizer cma = [](Domain domain) { return cma_optimizer(domain, {.seed = 3}); };
  const std::array<std::unique_ptr<Sampler>, 2> samplers = {model_sampler(space, keep_all, cma),
                                                            model_sampler(space, keep_all, cma)};
  // They propose in turn, and the trial of one runs while the other proposes.
  std::vector<Trial> running;
  double best = 1e9;
  for (std::int64_t number = 0; number < 120; ++number) {
    const auto& own = samplers[static_cast<std::size_t>(number % 2)];
    own->see_running(number, running);
    const Point point = *own->ask();
    const double x = point.at("x").as_double() - 1;
    const double y = point.at("y").as_double() + 2;
    best = std::min(best, x * x + y * y);
    running.push_back(complete_at(number, point, x * x + y * y));
    if (running.size() < 2) continue;
    for (const auto& sampler : samplers) sampler->tell(running.front());
    running.erase(running.begin());
  }
  EXPECT_LT(best, 1e-3);
  for (const auto& sampler : samplers) {
    sampler->tell(running.front());
    sampler->see_running(120, {});
  }
  EXPECT_EQ(to_string(*samplers[0]->ask()), to_string(*samplers[1]->ask()));
}

TEST(ModelSampler, TheFirstDimensionSelectsTheSpace) {
  const Space space = Space::union_of(
      {Space({{.name = "a", .choices = {1, 2}}}),
       Space({{.name = "a", .choices = {2, 3}}, {.name = "b", .choices = {"x", "y"}}})});
  Script script{.proposals = {{0, 1, 0}, {1, 2, 1}, {1, 1, 0}}};
  const auto sampler = model_sampler(space, keep_all, scripted(script));
  ASSERT_EQ(script.domain.dimensions.size(), 3U);
  EXPECT_EQ(script.domain.points->size(), 6U);
  EXPECT_EQ(to_string(*sampler->ask()), "a=2");
  EXPECT_EQ(to_string(*sampler->ask()), "a=3 b=y");
  EXPECT_EQ(to_string(*sampler->ask()), "a=2 b=x");
  EXPECT_FALSE(script.domain.canonical({0, 2, 0}));  // the first space has no a=3
}

/// "b" has an effect only with a=2, so that both spaces contain the point a=1.
TEST(ModelSampler, APointOfTwoSpacesCountsOnce) {
  const Normalize normalize = [](const Point& point) -> std::variant<Point, Rejected> {
    Point kept = point;
    if (kept.at("a").as_int() != 2) kept.erase("b");
    return kept;
  };
  const Space space = Space::union_of(
      {Space({{.name = "a", .choices = {1}}}),
       Space({{.name = "a", .choices = {1, 2}}, {.name = "b", .choices = {"x", "y"}}})});
  Script script{.proposals = {{1, 0, 1}}};
  const auto sampler = model_sampler(space, normalize, scripted(script));
  EXPECT_EQ(script.domain.points->size(), 3U);
  const Coordinates one = script.domain.canonical({1, 0, 1}).value();
  EXPECT_EQ(one[0], 0);
  EXPECT_EQ(one[1], 0);
  EXPECT_FALSE(is_active(one[2]));
  EXPECT_EQ(to_string(*sampler->ask()), "a=1");
}

TEST(ModelSampler, RefusesDifferentRangesOfOneName) {
  const Space space = Space::union_of(
      {Space({{.name = "a", .choices = {}, .range = FloatRange{.low = 0, .high = 1}}}),
       Space({{.name = "a", .choices = {}, .range = FloatRange{.low = 0, .high = 2}}})});
  Script script;
  EXPECT_EQ(
      message_of<InvalidInput>([&] { (void)model_sampler(space, keep_all, scripted(script)); }),
      "search space: parameter 'a' has a range in one space and another or a list in the next; a "
      "model-based search needs the same in all");
}

TEST(Grid, RefusesRealNumbersWhichRandomSearchAccepts) {
  const Space space({{.name = "rate", .choices = {}, .range = FloatRange{.low = 0, .high = 1}}});
  EXPECT_EQ(message_of<InvalidInput>([&] { (void)grid_sampler(space, keep_all, one_second); }),
            "search: a grid cannot walk the real numbers of 'rate'; give a step, list the values, "
            "or use random or model-based search");
  EXPECT_FALSE(summarize(space, keep_all).complete);
  const auto sampler = random_sampler(space, keep_all, one_second, {.seed = 2});
  std::set<double> seen;
  for (int i = 0; i < 20; ++i) seen.insert(sampler->ask()->at("rate").as_double());
  EXPECT_EQ(seen.size(), 20U);
  EXPECT_LT(*seen.begin(), 0.3);
  EXPECT_GT(*seen.rbegin(), 0.7);
}

TEST(StagedSampler, MakesTheSecondStageFromTheTrialsOfTheFirst) {
  std::vector<Trial> handed;
  const auto second = [&](const std::vector<Trial>& finished) {
    handed = finished;
    return grid_sampler(Space({{.name = "y", .choices = {1, 2}}}), keep_all, one_second);
  };
  const auto sampler = staged_sampler(grid_sampler(line_space(2), keep_all, one_second), second);
  const Point a = *sampler->ask();
  const Point b = *sampler->ask();
  EXPECT_TRUE(sampler->is_ready());
  EXPECT_FALSE(sampler->ask());  // this call reveals that the first stage is over
  EXPECT_FALSE(sampler->is_ready());
  sampler->tell(complete_at(0, a, 1));
  EXPECT_FALSE(sampler->is_ready());
  sampler->tell(complete_at(1, b, 2));
  EXPECT_TRUE(sampler->is_ready());
  EXPECT_EQ(to_string(*sampler->ask()), "y=1");
  ASSERT_EQ(handed.size(), 2U);
  EXPECT_EQ(handed[1].value, 2);
  EXPECT_EQ(to_string(*sampler->ask()), "y=2");
  EXPECT_FALSE(sampler->ask());
  EXPECT_TRUE(sampler->is_ready());
}

TEST(StagedSampler, RunsToTheEndInASearch) {
  const auto value_of_x = [](const TrialRequest& request) -> TrialOutcome {
    const auto x = request.point.find("x");
    return TrialSuccess{.value = x != request.point.end() ? x->second.as_double() : 10,
                        .is_candidate = false,
                        .details = {}};
  };
  for (const int jobs : {1, 3}) {
    const auto sampler = staged_sampler(
        grid_sampler(line_space(4), keep_all, one_second), [](const std::vector<Trial>&) {
          return grid_sampler(Space({{.name = "y", .choices = {1, 2}}}), keep_all, one_second);
        });
    SearchOptions options;
    options.jobs = jobs;
    const auto store = in_memory_store();
    const Study study = optimize(*sampler, value_of_x, options, *store);
    EXPECT_EQ(study.trials.size(), 6U);
    EXPECT_EQ(study.stop_message, "space exhausted: all 6 points tried");
  }
}

}  // namespace
}  // namespace quantsearch
