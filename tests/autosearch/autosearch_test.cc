// Tests of complete searches on the shipped models with their real images.

#include "quantsearch/autosearch.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "autosearch/search_setting.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/processor.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/pipeline/pipeline.h"
#include "support/messages.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;
using testing::kSource;
using testing::score_of;
using Setting = testing::SearchSetting;

constexpr const char* kGrid = R"(
search_space:
  calibrate_method: [MinMax, Percentile]
  activation_type: [QUInt8, QInt8]
  per_channel: [true, false]
)";

TEST(AutoSearch, WritesTheBestModelAndTheResults) {
  const TemporaryFolder folder;
  const SearchResult result = Setting(kGrid).run(folder.path());
  EXPECT_EQ(result.study.trials.size(), 8U);
  EXPECT_EQ(result.study.stop_reason, StopReason::space_exhausted);
  ASSERT_TRUE(result.best.has_value());
  EXPECT_TRUE(result.met_tolerance);
  EXPECT_NO_THROW((void)open_session(load_model(folder.path() / "best.onnx")));
  const Value results = load_config_file(folder.path() / "results.json");
  EXPECT_EQ(results.find("schema")->as_int(), 1);
  EXPECT_EQ(results.find("trials")->as_list().size(), 8U);
  EXPECT_EQ(results.find("best")->as_int(), *result.best);
}

TEST(AutoSearch, NamesTheProcessorOnceInTheLogAndInTheResults) {
  const TemporaryFolder folder;
  Setting setting(kGrid);
  std::vector<std::string> lines;
  setting.adjust = [&lines](SearchEnvironment& environment) {
    environment.log = [&lines](LogLevel, std::string_view line) {
      if (line.starts_with("processor: ")) lines.emplace_back(line);
    };
  };
  const SearchResult result = setting.run(folder.path());
  EXPECT_EQ(lines, std::vector<std::string>{"processor: " + to_string(this_processor())});
  EXPECT_EQ(result.document.processor, this_processor());
  EXPECT_EQ(processor_from(*load_config_file(folder.path() / "results.json").find("processor")),
            this_processor());
}

TEST(AutoSearch, TheBestTrialHasTheLeastDistance) {
  const TemporaryFolder folder;
  const SearchResult result = Setting(kGrid).run(folder.path());
  for (const Trial& trial : result.study.trials) {
    EXPECT_LE(*result.study.trials[static_cast<std::size_t>(*result.best)].value, *trial.value);
  }
}

TEST(AutoSearch, CalibratesOnceForAllTrials) {
  const TemporaryFolder folder;
  const SearchResult result = Setting(kGrid).run(folder.path());
  int observed = 0;
  for (const Trial& trial : result.study.trials) {
    const Value* observe = trial.details.find("stages")->find("observe");
    if (observe != nullptr && !observe->find("cached")->as_bool()) ++observed;
  }
  EXPECT_EQ(observed, 1);
}

TEST(AutoSearch, ObservesBesideTheBaselineWhereEachTrialHasOneThread) {
  const TemporaryFolder one;
  const TemporaryFolder two;
  Setting setting(kGrid);
  setting.threads = 2;
  const SearchResult alone = setting.run(one.path());
  setting.config.execution.jobs = 2;
  const SearchResult beside = setting.run(two.path());
  for (const Trial& trial : beside.study.trials) {
    const Value* const observe = trial.details.find("stages")->find("observe");
    EXPECT_TRUE(observe == nullptr || observe->find("cached")->as_bool());
  }
  EXPECT_EQ(beside.best, alone.best);
  EXPECT_EQ(read_file(two.path() / "best.onnx"), read_file(one.path() / "best.onnx"));
}

class SameResults : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(AutoSearch, SameResults,
                         ::testing::Values("tests/data/resnet8.onnx", "tests/data/tinyvit.onnx",
                                           "examples/fashion_mnist/mobilenet_s.onnx"),
                         [](const auto& info) { return fs::path(info.param).stem().string(); });

TEST_P(SameResults, ForAnyNumberOfThreads) {
  const TemporaryFolder one;
  const TemporaryFolder two;
  Setting setting(kGrid, kSource / GetParam());
  setting.threads = 1;
  const SearchResult first = setting.run(one.path());
  setting.threads = 2;
  const SearchResult second = setting.run(two.path());
  ASSERT_EQ(first.study.trials.size(), second.study.trials.size());
  for (std::size_t i = 0; i < first.study.trials.size(); ++i) {
    EXPECT_EQ(first.study.trials[i].point, second.study.trials[i].point);
    EXPECT_EQ(*first.study.trials[i].details.find("scores"),
              *second.study.trials[i].details.find("scores"));
  }
  EXPECT_EQ(read_file(one.path() / "best.onnx"), read_file(two.path() / "best.onnx"));
}

TEST_P(SameResults, InAnyOrder) {
  const TemporaryFolder one;
  const TemporaryFolder two;
  Setting setting(kGrid, kSource / GetParam());
  const SearchResult grid = setting.run(one.path());
  setting.config.strategy.algorithm = SearchAlgorithm::random;
  setting.config.strategy.seed = 7;
  const SearchResult random = setting.run(two.path());
  ASSERT_EQ(grid.study.trials.size(), random.study.trials.size());
  for (const Trial& trial : grid.study.trials) {
    const auto same = std::ranges::find(random.study.trials, trial.point, &Trial::point);
    ASSERT_NE(same, random.study.trials.end());
    EXPECT_EQ(*trial.details.find("scores"), *same->details.find("scores"));
  }
  EXPECT_EQ(read_file(one.path() / "best.onnx"), read_file(two.path() / "best.onnx"));
}

TEST_P(SameResults, ForAnyOrderOfTheChoices) {
  const TemporaryFolder one;
  const TemporaryFolder two;
  const std::string reversed =
      "search_space: {per_channel: [false, true], activation_type: [QInt8, QUInt8], "
      "calibrate_method: [Percentile, MinMax]}";
  const SearchResult first = Setting(kGrid, kSource / GetParam()).run(one.path());
  const SearchResult second = Setting(reversed, kSource / GetParam()).run(two.path());
  ASSERT_EQ(first.study.trials.size(), second.study.trials.size());
  for (const Trial& trial : first.study.trials) {
    const auto same = std::ranges::find(second.study.trials, trial.point, &Trial::point);
    ASSERT_NE(same, second.study.trials.end());
    EXPECT_EQ(*trial.details.find("scores"), *same->details.find("scores"));
  }
  EXPECT_EQ(read_file(one.path() / "best.onnx"), read_file(two.path() / "best.onnx"));
}

TEST(AutoSearch, TheWrittenConfigurationBuildsTheSameBytes) {
  const TemporaryFolder folder;
  Setting setting(kGrid);
  (void)setting.run(folder.path());
  const Settings settings =
      parse_quantization_config(load_config_file(folder.path() / "best_config.yaml"));
  ThreadPool pool(2);
  Pipeline pipeline(setting.input.model, setting.input.calibration, pool, ByteBudget(1 << 28), {});
  const Candidate again = pipeline.build(resolve(settings), {});
  save_model(again.quantized->model, folder.path() / "again.onnx");
  EXPECT_EQ(read_file(folder.path() / "again.onnx"), read_file(folder.path() / "best.onnx"));
}

TEST(AutoSearch, MixedPrecisionIsWrittenAsTheChosenFormats) {
  const TemporaryFolder folder;
  Setting setting(
      "search_space: {include_auto_mp: [true], activation_type: [QUInt8], extra_options: "
      "{AutoMixprecision: {L2Target: "
      "[0.00005], DataSize: [16], ProbeSize: [4]}}}");
  const SearchResult result = setting.run(folder.path());
  const Value* layers = testing::best_of(result).details.find("precision");
  ASSERT_NE(layers, nullptr);
  EXPECT_FALSE(layers->as_list().empty());
  const Settings settings =
      parse_quantization_config(load_config_file(folder.path() / "best_config.yaml"));
  EXPECT_FALSE(settings.at("node_formats").as_map().empty());
  EXPECT_FALSE(settings.contains("include_auto_mp"));
  ThreadPool pool(1);
  Pipeline pipeline(setting.input.model, setting.input.calibration, pool, ByteBudget(1 << 28), {});
  const Candidate again = pipeline.build(resolve(settings), {});
  save_model(again.quantized->model, folder.path() / "again.onnx");
  EXPECT_EQ(read_file(folder.path() / "again.onnx"), read_file(folder.path() / "best.onnx"));
}

TEST(AutoSearch, AHoldOutIsWrittenIntoTheConfiguration) {
  const TemporaryFolder folder;
  Setting setting("search_space: {calibrate_method: [MinMax]}");
  setting.input.evaluation = nullptr;
  setting.input.labels = std::nullopt;
  setting.input.holdout = 0.25;
  (void)setting.run(folder.path());
  const Settings settings =
      parse_quantization_config(load_config_file(folder.path() / "best_config.yaml"));
  EXPECT_EQ(settings.at("extra_options.CalibDataSize"), Value(24));
  ThreadPool pool(2);
  Pipeline pipeline(setting.input.model, setting.input.calibration, pool, ByteBudget(1 << 28), {});
  save_model(pipeline.build(resolve(settings), {}).quantized->model, folder.path() / "again.onnx");
  EXPECT_EQ(read_file(folder.path() / "again.onnx"), read_file(folder.path() / "best.onnx"));
}

TEST(AutoSearch, AHoldOutLimitsEveryStageThatReadsSamples) {
  const TemporaryFolder folder;
  Setting setting("search_space: {calibrate_method: [MinMax]}");
  setting.input.evaluation = nullptr;
  setting.input.labels = std::nullopt;
  setting.input.holdout = 0.8125;  // of 32 samples 6 calibrate
  (void)setting.run(folder.path());
  const Settings settings =
      parse_quantization_config(load_config_file(folder.path() / "best_config.yaml"));
  for (const char* const name : {"CalibDataSize", "FastFinetune.DataSize",
                                 "AutoMixprecision.DataSize", "AutoMixprecision.ProbeSize"})
    EXPECT_EQ(settings.at("extra_options." + std::string(name)), Value(6)) << name;
}

TEST(AutoSearch, ResumingGivesTheTrialsOfAnUninterruptedSearch) {
  const TemporaryFolder whole;
  const TemporaryFolder parts;
  Setting setting(kGrid);
  const SearchResult undisturbed = setting.run(whole.path());
  setting.config.strategy.stop.iteration_limit = 3;
  (void)setting.run(parts.path());
  setting.config.strategy.stop.iteration_limit = std::nullopt;
  setting.adjust = [](SearchEnvironment& environment) { environment.resume = true; };
  const SearchResult resumed = setting.run(parts.path());
  ASSERT_EQ(resumed.study.trials.size(), undisturbed.study.trials.size());
  EXPECT_EQ(resumed.best, undisturbed.best);
  for (std::size_t i = 0; i < resumed.study.trials.size(); ++i) {
    EXPECT_EQ(resumed.study.trials[i].point, undisturbed.study.trials[i].point);
    EXPECT_EQ(resumed.study.trials[i].value, undisturbed.study.trials[i].value);
  }
  EXPECT_EQ(read_file(parts.path() / "best.onnx"), read_file(whole.path() / "best.onnx"));
}

TEST(AutoSearch, CancellingDeliversTheBestSoFar) {
  const TemporaryFolder folder;
  Setting setting(kGrid);
  const CancellationToken token;
  setting.adjust = [&](SearchEnvironment& environment) {
    environment.token = token;
    environment.on_trial = [&](const Trial& trial) {
      if (trial.number == 1) token.cancel();
    };
  };
  const SearchResult result = setting.run(folder.path());
  EXPECT_EQ(result.study.stop_reason, StopReason::cancelled);
  EXPECT_TRUE(fs::exists(folder.path() / "best.onnx"));
  EXPECT_TRUE(fs::exists(folder.path() / "results.json"));
}

/// The message of a search whose first result meets `failure`.
template <typename Failure>
std::string message_after(const Failure& failure, const fs::path& folder) {
  Setting setting("search_space: {calibrate_method: [MinMax, Percentile]}");
  setting.adjust = [&](SearchEnvironment& environment) {
    environment.on_trial = [&](const Trial&) { throw failure; };
  };
  return message_of<Failure>([&] { (void)setting.run(folder); });
}

TEST(AutoSearch, AsksForRoomOnlyWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  const std::string kept =
      "; the finished trials are kept in '" + (folder.path() / "out").string() + "', ";
  EXPECT_EQ(message_after(DiskFull("no room for it"), folder.path() / "out"),
            "search: no room for it" + kept + "make room and continue with --resume");
  fs::remove_all(folder.path() / "out");
  EXPECT_EQ(message_after(IoError("the network is down"), folder.path() / "out"),
            "search: the network is down" + kept + "continue with --resume");
}

TEST(AutoSearch, ACustomEvaluatorDecides) {
  const TemporaryFolder folder;
  Setting setting("{search_metric_tolerance: 1e9, search_space: {weight_type: [QInt8, QInt16]}}");
  setting.adjust = [](SearchEnvironment& environment) {
    environment.evaluator = CustomEvaluator{
        .score = [](const fs::path& model,
                    const CancellationToken&) { return static_cast<double>(fs::file_size(model)); },
        .direction = Goal::minimize};
  };
  const SearchResult result = setting.run(folder.path());
  const Trial& best = result.study.trials[static_cast<std::size_t>(*result.best)];
  EXPECT_EQ(best.point.at("weight_type"), Value("QInt8"));
  EXPECT_EQ(score_of(best, "custom"),
            static_cast<double>(fs::file_size(folder.path() / "best.onnx")));
}

TEST(AutoSearch, AnEvaluatorDecidesAmongSeveralObjectives) {
  const TemporaryFolder folder;
  Setting setting(
      "{search_metric: [custom, size], search_metric_tolerance: 1e9, search_space: {weight_type: "
      "[QInt8, QInt16]}}");
  setting.adjust = [](SearchEnvironment& environment) {
    environment.evaluator = CustomEvaluator{
        .score = [](const fs::path& model,
                    const CancellationToken&) { return static_cast<double>(fs::file_size(model)); },
        .direction = Goal::maximize};
  };
  const SearchResult result = setting.run(folder.path());
  EXPECT_EQ(result.document.objective, "custom");
  EXPECT_EQ(testing::best_of(result).point.at("weight_type"), Value("QInt16"));
  // The larger model is better by the evaluator, the smaller one by its size.
  EXPECT_EQ(result.document.front.size(), 2U);
}

TEST(AutoSearch, AnEvaluatorNeedsNoEvaluationData) {
  const auto warnings_with = [](bool has_evaluator) {
    const TemporaryFolder folder;
    Setting setting("{search_metric_tolerance: 1e9, search_space: {weight_type: [QInt8]}}");
    setting.input.evaluation = nullptr;
    setting.input.labels.reset();
    std::int64_t warnings = 0;
    setting.adjust = [&](SearchEnvironment& environment) {
      environment.log = [&warnings](LogLevel level, std::string_view) {
        warnings += level == LogLevel::warning ? 1 : 0;
      };
      if (has_evaluator)
        environment.evaluator =
            CustomEvaluator{.score = [](const fs::path&, const CancellationToken&) { return 1.0; }};
    };
    (void)setting.run(folder.path());
    return warnings;
  };
  EXPECT_EQ(warnings_with(false), 1);
  EXPECT_EQ(warnings_with(true), 0);
}

TEST(AutoSearch, ACallerWithoutAPoolGetsOne) {
  const TemporaryFolder folder;
  Setting setting("search_space: {activation_type: [QUInt8]}");
  setting.config.output.output_folder = folder.path();
  EXPECT_EQ(auto_search(setting.config, setting.input, {}).study.trials.size(), 1U);
}

TEST(AutoSearch, MissingInputIsAnErrorAndNoCrash) {
  const TemporaryFolder folder;
  Setting setting("search_space: {activation_type: [QUInt8]}");
  setting.config.output.output_folder = folder.path();
  EXPECT_EQ(
      message_of([&] {
        (void)auto_search(setting.config, setting.input, {.evaluator = CustomEvaluator{}});
      }),
      "search: got a custom evaluator without a function, expected one that scores a model file");
  setting.input.calibration = nullptr;
  EXPECT_EQ(message_of([&] { (void)auto_search(setting.config, setting.input, {}); }),
            "search: got no calibration data, expected at least one sample");
}

// 16 images are half of the 32 images, and all other values mean all of them, so that there are two
// fine-tunings and not five.
TEST(AutoSearch, SampleCountsBeyondTheDataAreOneTrial) {
  const TemporaryFolder folder;
  Setting setting(R"(
quantization_config: {include_fast_ft: true}
search_space:
  extra_options:
    FastFinetune: {DataSize: [16, null, 32, 500, 1000], NumIterations: [2], OptimAlgorithm: [adaround]}
)");
  const SearchResult result = setting.run(folder.path());
  ASSERT_EQ(result.study.trials.size(), 2U);
  EXPECT_EQ(result.study.trials[1].point.at("extra_options.FastFinetune.DataSize"), Value(32));
  EXPECT_EQ(result.document.space.raw, 2);
}

TEST(AutoSearch, AFailingTrialIsRecordedAndTheSearchGoesOn) {
  const TemporaryFolder folder;
  Setting setting(
      "{search_metric_tolerance: 1e9, search_space: {activation_type: [QUInt8, QInt8]}}");
  int calls = 0;
  setting.adjust = [&](SearchEnvironment& environment) {
    environment.evaluator =
        CustomEvaluator{.score = [&](const fs::path&, const CancellationToken&) -> double {
          // The first call scores the float model.
          if (++calls == 2) throw IoError("the evaluator fell over");
          return 1;
        }};
  };
  const SearchResult result = setting.run(folder.path());
  ASSERT_EQ(result.study.trials.size(), 2U);
  EXPECT_EQ(result.study.trials[0].state, TrialState::failed);
  EXPECT_EQ(result.study.trials[0].reason, "the evaluator fell over");
  EXPECT_EQ(result.study.trials[1].state, TrialState::complete);
}

TEST(AutoSearch, TheFirstReasonIsTheErrorWhenAllTrialsFail) {
  const TemporaryFolder folder;
  Setting setting("search_space: {activation_type: [QUInt8]}");
  int calls = 0;
  setting.adjust = [&](SearchEnvironment& environment) {
    environment.evaluator =
        CustomEvaluator{.score = [&](const fs::path&, const CancellationToken&) -> double {
          if (++calls > 1) throw IoError("the evaluator fell over");
          return 1;
        }};
  };
  EXPECT_EQ(
      message_of([&] { (void)setting.run(folder.path()); }),
      "search: all 1 trials failed; the first, activation_type=QUInt8: the evaluator fell over");
}

TEST(AutoSearch, ASpaceWithoutAValidPointSaysWhy) {
  const TemporaryFolder folder;
  Setting setting("search_space: {calibrate_method: [MinMSE], per_channel: [true]}");
  EXPECT_EQ(
      message_of([&] { (void)setting.run(folder.path() / "out"); }),
      "search: none of the 1 points of the space is valid: power-of-two methods need per-tensor "
      "weights (per_channel: false) (1 points); widen the space or change the base configuration");
  EXPECT_FALSE(fs::exists(folder.path() / "out"));
}

TEST(AutoSearch, StopsAtTheRequestedNumberOfCandidates) {
  const TemporaryFolder folder;
  Setting setting(kGrid);
  setting.config.strategy.stop.find_n_candidates = 2;
  const SearchResult result = setting.run(folder.path());
  EXPECT_EQ(result.study.stop_reason, StopReason::candidates_found);
  EXPECT_EQ(result.study.candidates.size(), 2U);
}

TEST(AutoSearch, WritesTheRequestedNumberOfCandidatesBestFirst) {
  const TemporaryFolder folder;
  Setting setting(kGrid);
  setting.adjust = [](SearchEnvironment& environment) { environment.keep = 2; };
  const SearchResult result = setting.run(folder.path());
  int files = 0;
  for (const auto& entry : fs::directory_iterator(folder.path() / "candidates"))
    files += entry.is_regular_file() ? 1 : 0;
  EXPECT_EQ(files, 2);
  EXPECT_EQ(read_file(folder.path() / "candidates" / fmt::format("{:04}.onnx", *result.best)),
            read_file(folder.path() / "best.onnx"));
}

}  // namespace
}  // namespace quantsearch
