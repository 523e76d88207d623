// The escalation on made-up results: each test gives the value, the tolerance and the speed that a
// point has, and looks at what is proposed.

#include "autosearch/escalation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "quantsearch/base/error.h"
#include "quantsearch/search/trial_details.h"
#include "quantsearch/search/trial_order.h"

namespace quantsearch {
namespace {

const std::string kTarget = "extra_options.AutoMixprecision.L2Target";
const Value kFastest = Value::List{"conv1", "conv2"};
const Value kSecond = Value::List{"conv1"};
const Value kNone = Value::List{};

AutoSearchConfig config_for(SearchGoal goal, const Value& base = {}) {
  AutoSearchConfig config;
  config.base = settings_from(base);
  config.strategy.algorithm = SearchAlgorithm::escalation;
  config.goals.goal = goal;
  return config;
}

Value setting(const Point& point, const std::string& name) {
  const auto found = point.find(name);
  return found == point.end() ? Value() : found->second;
}
bool is_tuned(const Point& point) { return setting(point, "include_fast_ft") == Value(true); }
bool is_mixed(const Point& point) { return setting(point, "include_auto_mp") == Value(true); }
Value float_nodes(const Point& point) { return setting(point, "nodes_to_exclude"); }
Value type_of(const Point& point) { return setting(point, "activation_type"); }
bool is_signed(const Point& point) { return type_of(point) == Value("QInt8"); }

struct Result {
  double value = 1;
  bool is_candidate = false;
  double ratio = 1;
};
using Outcome = std::function<Result(const Point&)>;

Trial trial_of(std::int64_t number, const Point& point, const Result& result) {
  Trial trial;
  trial.number = number;
  trial.state = TrialState::complete;
  trial.point = point;
  trial.value = result.value;
  trial.is_candidate = result.is_candidate;
  trial.details = to_value(TrialDetails{
      .latency_ratio = LatencyRatio{
          .ratio = result.ratio, .low = result.ratio * 0.99, .high = result.ratio * 1.01}});
  return trial;
}

/// The sampler of a search for `goal`.
std::unique_ptr<Sampler> sampler_for(SearchGoal goal, const LogSink& log = {}) {
  const AutoSearchConfig config = config_for(goal);
  const Space space =
      escalation_space(config, "rel_l2", default_space(config.base),
                       goal == SearchGoal::fastest ? std::vector<Value>{kFastest, kSecond, kNone}
                                                   : std::vector<Value>{});
  return escalation_sampler(space, normalize_over(config.base),
                            [](const Point&) { return Expected{}; },
                            {.ranking = {Goal::minimize, goal}, .log = log});
}

/// Runs until the sampler has no more points, beginning with the trials of an earlier run.
std::vector<Trial> run(SearchGoal goal, const Outcome& outcome, std::vector<Trial> trials = {},
                       const LogSink& log = {}) {
  constexpr std::size_t most = 1000;
  const auto sampler = sampler_for(goal, log);
  for (const Trial& trial : trials) sampler->tell(trial);
  while (trials.size() < most) {
    const std::optional<Point> point = sampler->ask();
    if (!point) break;
    trials.push_back(trial_of(std::ssize(trials), *point, outcome(*point)));
    sampler->tell(trials.back());
  }
  return trials;
}

bool any(const std::vector<Trial>& trials, const std::function<bool(const Point&)>& is_it) {
  return std::ranges::any_of(trials, [&](const Trial& trial) { return is_it(trial.point); });
}

TEST(Escalation, AModelThatCalibrationsSufficeForIsNotTunedOrMixed) {
  const auto trials =
      run(SearchGoal::most_accurate, [](const Point&) { return Result{.is_candidate = true}; });
  EXPECT_FALSE(any(trials, is_tuned));
  EXPECT_FALSE(any(trials, is_mixed));
  // Every calibration is tried once: 6 range methods, 2 granularities, 2 weight ranges, with and
  // without equalization.
  EXPECT_EQ(trials.size(), 48U);
}

TEST(Escalation, WithoutACandidateTheBestCalibrationsAreReconstructed) {
  const auto trials = run(SearchGoal::most_accurate, [](const Point& point) {
    return Result{.value = is_tuned(point) ? 0.1 : 1, .is_candidate = is_tuned(point)};
  });
  for (std::size_t number = 0; number < 12; ++number)
    EXPECT_FALSE(is_tuned(trials[number].point)) << number;
  EXPECT_TRUE(is_tuned(trials[12].point));
  EXPECT_EQ(setting(trials[12].point, "extra_options.FastFinetune.OptimAlgorithm"), Value("gptq"));
  EXPECT_FALSE(any(trials, is_mixed));
  // What is tried after the first candidate is reconstructed, too.
  EXPECT_TRUE(is_tuned(trials.back().point));
}

TEST(Escalation, LayersStayFloatByStricterLimitsUntilTheToleranceHolds) {
  const auto trials = run(SearchGoal::most_accurate, [](const Point& point) {
    const bool is_strict = is_mixed(point) && setting(point, kTarget).as_double() < 0.004;
    return Result{.value = is_strict ? 0.1 : 1, .is_candidate = is_strict};
  });
  std::vector<double> limits;
  for (const Trial& trial : trials) {
    if (is_mixed(trial.point) && limits.size() < 2)
      limits.push_back(setting(trial.point, kTarget).as_double());
  }
  ASSERT_EQ(limits.size(), 2U);
  EXPECT_DOUBLE_EQ(limits[0], 0.007);
  EXPECT_DOUBLE_EQ(limits[1], 0.003);
  EXPECT_FALSE(any(trials, [](const Point& point) {
    return is_mixed(point) && setting(point, kTarget).as_double() < 0.002;
  }));
}

TEST(Escalation, BeginsAtTheFastestPlacementAndTriesTheOthersWithTheBest) {
  const auto trials = run(SearchGoal::fastest, [&](const Point& point) {
    return Result{.is_candidate = true, .ratio = float_nodes(point) == kSecond ? 0.5 : 0.9};
  });
  for (std::size_t number = 0; number < 12; ++number)
    EXPECT_EQ(float_nodes(trials[number].point), kFastest) << number;
  // Trials 12 and 13 have the other activation type.
  EXPECT_EQ(float_nodes(trials[14].point), kSecond);
  EXPECT_EQ(float_nodes(trials[15].point), kNone);
  // The other calibrations have the placement of the fastest trial.
  for (std::size_t number = 16; number < trials.size(); ++number)
    EXPECT_EQ(float_nodes(trials[number].point), kSecond) << number;
  EXPECT_EQ(trials.size(), 16U + 47U);
}

/// Every point is within the tolerance; with int8 a run takes `ratio` times as long as that of the
/// float model, with uint8 0.9 times.
Outcome with_signed_ratio(double ratio) {
  return [ratio](const Point& point) {
    return Result{.is_candidate = true, .ratio = is_signed(point) ? ratio : 0.9};
  };
}

TEST(Escalation, TheFasterActivationTypeGoesOn) {
  const auto trials = run(SearchGoal::fastest, with_signed_ratio(0.8));
  for (std::size_t number = 0; number < 12; ++number)
    EXPECT_EQ(type_of(trials[number].point), Value("QUInt8")) << number;
  EXPECT_EQ(float_nodes(trials[12].point), kFastest);
  EXPECT_EQ(float_nodes(trials[13].point), kNone);
  EXPECT_EQ(float_nodes(trials[14].point), kSecond);
  for (std::size_t number = 12; number < trials.size(); ++number)
    EXPECT_EQ(type_of(trials[number].point), Value("QInt8")) << number;
  EXPECT_EQ(trials.size(), 15U + 47U);
}

TEST(Escalation, TheSlowerActivationTypeTakesTwoTrials) {
  const auto trials = run(SearchGoal::fastest, with_signed_ratio(1.1));
  for (std::size_t number = 0; number < trials.size(); ++number)
    EXPECT_EQ(is_signed(trials[number].point), number == 12 || number == 13) << number;
}

TEST(Escalation, TheOtherActivationTypeMayBeFasterWhereMoreRunsOnIntegers) {
  const auto trials = run(SearchGoal::fastest, [](const Point& point) {
    const bool is_fast = is_signed(point) && float_nodes(point) == kNone;
    return Result{.is_candidate = true, .ratio = is_fast ? 0.6 : 0.9};
  });
  EXPECT_TRUE(is_signed(trials.back().point));
  EXPECT_EQ(float_nodes(trials.back().point), kNone);
}

TEST(Escalation, ActivationTypesWhoseIntervalsMeetAreATie) {
  // 0.8712 to 0.8888 is clearly less than 0.891 to 0.909; 0.8761 to 0.8939 is not.
  EXPECT_TRUE(is_signed(run(SearchGoal::fastest, with_signed_ratio(0.880)).back().point));
  EXPECT_FALSE(is_signed(run(SearchGoal::fastest, with_signed_ratio(0.885)).back().point));
}

TEST(Escalation, AnActivationTypeOutsideTheToleranceIsNotTaken) {
  const auto trials = run(SearchGoal::fastest, [](const Point& point) {
    return Result{.is_candidate = !is_signed(point), .ratio = is_signed(point) ? 0.5 : 0.9};
  });
  for (std::size_t number = 0; number < trials.size(); ++number)
    EXPECT_EQ(is_signed(trials[number].point), number == 12 || number == 13) << number;
}

TEST(Escalation, WithoutACandidateTheOtherActivationTypeIsNotTried) {
  EXPECT_FALSE(any(run(SearchGoal::fastest, [](const Point&) { return Result{}; }), is_signed));
}

TEST(Escalation, TheOtherActivationTypeIsTriedWithWhatTheModelNeeds) {
  const auto trials = run(SearchGoal::fastest, [](const Point& point) {
    return Result{.value = is_mixed(point) ? 0.1 : 1, .is_candidate = is_mixed(point)};
  });
  for (const Trial& trial : trials) EXPECT_TRUE(is_mixed(trial.point) || !is_signed(trial.point));
  EXPECT_TRUE(any(trials, is_signed));
}

TEST(Escalation, TheLogSaysOnceWhichActivationTypeGoesOn) {
  const auto line_of = [](const Outcome& outcome) {
    std::vector<std::string> lines;
    (void)run(SearchGoal::fastest, outcome, {},
              [&lines](LogLevel, std::string_view text) { lines.emplace_back(text); });
    EXPECT_EQ(lines.size(), 1U);
    return lines.empty() ? "" : lines.front();
  };
  EXPECT_EQ(line_of(with_signed_ratio(0.8)),
            "activation type: QInt8 takes 0.800 (0.792 to 0.808) times as long as the float model "
            "and QUInt8 0.900 (0.891 to 0.909); the later trials have QInt8");
  EXPECT_EQ(line_of(with_signed_ratio(0.9)),
            "activation type: QInt8 takes 0.900 (0.891 to 0.909) times as long as the float model "
            "and QUInt8 0.900 (0.891 to 0.909), a tie; the later trials have QUInt8");
  EXPECT_EQ(
      line_of([](const Point& point) { return Result{.is_candidate = !is_signed(point)}; }),
      "activation type: no model with QInt8 is within the tolerance and the limits; the later "
      "trials have QUInt8");
}

/// The activation types of the space for a base.
std::vector<Value> types_for(SearchGoal goal, const Value& base) {
  const AutoSearchConfig config = config_for(goal, base);
  const Space space = escalation_space(config, "rel_l2", default_space(config.base), {});
  for (const Parameter& parameter : space.products().front()) {
    if (parameter.name == "activation_type") return parameter.choices;
  }
  return {};
}

TEST(Escalation, TriesTheOtherActivationTypeOfEightBitsForTheFastestModelOnACpu) {
  using Types = std::vector<Value>;
  const Value none;
  EXPECT_EQ(types_for(SearchGoal::fastest, none), (Types{"QUInt8", "QInt8"}));
  EXPECT_EQ(types_for(SearchGoal::fastest, Value::Map{{"activation_type", "QInt8"}}),
            (Types{"QInt8", "QUInt8"}));
  EXPECT_EQ(types_for(SearchGoal::fastest, Value::Map{{"activation_type", "QInt16"}}),
            (Types{"QInt16"}));
  EXPECT_EQ(types_for(SearchGoal::fastest, "XINT8"), Types{});
  EXPECT_EQ(types_for(SearchGoal::smallest, none), (Types{"QUInt8"}));
  EXPECT_EQ(types_for(SearchGoal::most_accurate, none), (Types{"QUInt8"}));
}

TEST(Escalation, TheSmallestAndTheMostAccurateKeepThePlacement) {
  for (const SearchGoal goal : {SearchGoal::smallest, SearchGoal::most_accurate}) {
    const auto trials = run(goal, [](const Point&) { return Result{.is_candidate = true}; });
    EXPECT_FALSE(any(trials, [](const Point& point) { return !float_nodes(point).is_null(); }));
  }
}

TEST(Escalation, AResumedSearchProposesWhatAnUninterruptedOneWould) {
  std::size_t first = 0;  // other trials each time
  for (const double signed_factor : {0.7, 1.0}) {
    const Outcome outcome = [signed_factor](const Point& point) {
      return Result{.value = is_tuned(point) ? 0.5 : 1,
                    .is_candidate = is_mixed(point),
                    .ratio = (float_nodes(point) == kSecond ? 0.8 : 1.2) *
                             (is_signed(point) ? signed_factor : 1)};
    };
    const std::vector<Trial> whole = run(SearchGoal::fastest, outcome);
    EXPECT_TRUE(any(whole, is_signed));
    for (std::size_t ended = first++; ended < whole.size(); ended += 5) {
      const std::vector<Trial> earlier(whole.begin(),
                                       whole.begin() + static_cast<std::ptrdiff_t>(ended));
      EXPECT_EQ(run(SearchGoal::fastest, outcome, earlier), whole) << ended;
    }
  }
}

TEST(Escalation, AStudyWithoutTheOtherActivationTypeGoesOnWithIt) {
  std::vector<Trial> earlier = run(SearchGoal::fastest, with_signed_ratio(1.1));
  std::erase_if(earlier, [](const Trial& trial) { return is_signed(trial.point); });
  const auto trials = run(SearchGoal::fastest, with_signed_ratio(1.1), earlier);
  ASSERT_EQ(trials.size(), earlier.size() + 2);
  EXPECT_TRUE(is_signed(trials[earlier.size()].point));
  EXPECT_TRUE(is_signed(trials.back().point));
}

TEST(Escalation, WaitsForTheResultsThatDecide) {
  const auto sampler = sampler_for(SearchGoal::most_accurate);
  std::vector<Point> first;
  while (std::optional<Point> point = sampler->ask()) first.push_back(*point);
  EXPECT_EQ(first.size(), 12U);
  EXPECT_FALSE(sampler->is_ready());
  for (std::size_t number = 0; number < first.size(); ++number)
    sampler->tell(trial_of(static_cast<std::int64_t>(number), first[number], {}));
  EXPECT_TRUE(sampler->is_ready());
  EXPECT_TRUE(is_tuned(sampler->ask().value()));
}

/// The limits of mixed precision when `objective` decides.
Parameter limits(const AutoSearchConfig& config, const std::string& objective) {
  const Space space = escalation_space(config, objective, default_space(config.base), {});
  for (const Parameter& parameter : space.products().front()) {
    if (parameter.name.ends_with("Target")) return parameter;
  }
  return {};
}

TEST(Escalation, LimitsOfAccuracyAreSharesOfItsTolerance) {
  AutoSearchConfig config = config_for(SearchGoal::smallest);
  config.goals.metric = Metric::top1;
  config.goals.tolerance = 0.02;
  const Parameter found = limits(config, "top1");
  EXPECT_EQ(found.name, "extra_options.AutoMixprecision.Top1AccTarget");
  ASSERT_FALSE(found.choices.empty());
  EXPECT_DOUBLE_EQ(found.choices.front().as_double(), 0.014);
}

TEST(Escalation, TheToleranceOfAnEvaluatorIsNoLimitOfAMetric) {
  AutoSearchConfig config = config_for(SearchGoal::smallest);
  config.goals.tolerance = 5;  // in the unit of the score
  for (const Metric metric : {Metric::top1, Metric::rel_l2}) {
    config.goals.metric = metric;
    const Parameter found = limits(config, "mean_average_precision");
    EXPECT_EQ(found.name, kTarget);
    ASSERT_FALSE(found.choices.empty());
    EXPECT_DOUBLE_EQ(found.choices.front().as_double(), 0.007);
  }
}

}  // namespace
}  // namespace quantsearch
