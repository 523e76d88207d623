#include "autosearch/baseline_check.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>

#include "autosearch/search_setting.h"
#include "quantsearch/internal/base/files.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;
using testing::SearchSetting;

TEST(BestConstantAnswer, IsTheMostFrequentLabel) {
  const ConstantAnswer one = best_constant_answer({3, 1, 3, 0, 1, 3, 2, 2}, 1);
  EXPECT_EQ(one.labels, (std::vector<std::int64_t>{3}));
  EXPECT_EQ(one.share, 3.0 / 8);
}

TEST(BestConstantAnswer, TakesTheLowerLabelOfEquallyFrequentOnes) {
  const ConstantAnswer two = best_constant_answer({3, 1, 3, 0, 1, 3, 2, 2}, 2);
  EXPECT_EQ(two.labels, (std::vector<std::int64_t>{3, 1}));
  EXPECT_EQ(two.share, 5.0 / 8);
}

TEST(BestConstantAnswer, NamesNoMoreLabelsThanThereAre) {
  const ConstantAnswer answer = best_constant_answer({7, 7}, 5);
  EXPECT_EQ(answer.labels, (std::vector<std::int64_t>{7}));
  EXPECT_EQ(answer.share, 1);
}

/// A search, with the warnings that were given before its first trial.
struct Warned {
  SearchSetting setting;
  std::mutex mutex;
  std::vector<std::string> before_trials;
  bool has_begun = false;

  explicit Warned(const std::string& yaml) : setting(yaml) {
    setting.adjust = [this](SearchEnvironment& environment) {
      environment.log = [this](LogLevel level, std::string_view text) {
        const std::lock_guard lock(mutex);
        if (level == LogLevel::warning && !has_begun) before_trials.emplace_back(text);
      };
      environment.on_start = [this](std::int64_t, const Point&) {
        const std::lock_guard lock(mutex);
        has_begun = true;
      };
    };
  }
};

const std::string kOneMethod =
    "quantization_config: {activation_type: QUInt8}\nsearch_latency: false\n"
    "search_space: {calibrate_method: [MinMax]}\n";

TEST(BaselineCheck, SaysThatTheLabelsAreWrongBeforeTheFirstTrialWithBothFigures) {
  const TemporaryFolder folder;
  Warned search(kOneMethod + "search_metric: top1\n");
  Labels& labels = search.setting.input.labels.value();
  for (std::int64_t& label : labels) label = (label + 1) % 10;
  const SearchResult result = search.setting.run(folder.path() / "out");
  ASSERT_EQ(result.document.warnings.size(), 1U);
  EXPECT_EQ(search.before_trials, result.document.warnings);
  const ConstantAnswer constant = best_constant_answer(labels, 1);
  const double accuracy = result.document.float_model.scores.at("top1");
  EXPECT_EQ(result.document.warnings.front(),
            fmt::format(
                "the float model has top1 {:.4g} on the 64 samples, no more than the answer {} to "
                "all of them ({:.4g}), and a candidate needs {:.4g}; the labels seem to belong to "
                "other samples or to count the classes otherwise",
                accuracy, constant.labels.front(), constant.share, accuracy - 0.01));
  const Value written = load_config_file(folder.path() / "out" / "results.json");
  EXPECT_EQ(results_from(written).warnings, result.document.warnings);
}

TEST(BaselineCheck, SaysNothingOfRightLabels) {
  const TemporaryFolder folder;
  Warned search(kOneMethod + "search_metric: top1\n");
  EXPECT_TRUE(search.setting.run(folder.path() / "out").document.warnings.empty());
}

TEST(BaselineCheck, LooksAtLabelsOnlyWhenTheyDecide) {
  const TemporaryFolder folder;
  Warned search(kOneMethod);
  std::ranges::fill(search.setting.input.labels.value(), 0);
  EXPECT_TRUE(search.setting.run(folder.path() / "out").document.warnings.empty());
}

/// A recognizer of four steps and three classes.
Model text_model() {
  ModelBuilder builder;
  const std::string x = builder.input("x", {1, 4, 3});
  builder.output(builder.node("MatMul", {x, builder.random_weight("w", {3, 3}, 1, 1)}), {1, 4, 3});
  return builder.build();
}

TEST(BaselineCheck, SaysThatATruthIsNotThatOfTheSamples) {
  const TemporaryFolder folder;
  const std::string charset = (folder.path() / "charset.txt").string();
  const std::string texts = (folder.path() / "texts.txt").string();
  write_file_atomically(charset, "a\nb\n");
  write_file_atomically(texts, "abababab\n");  // longer than the model can say
  Warned search(kOneMethod + "search_evaluator: {task: text, charset: " + charset +
                ", texts: " + texts + "}\n");
  SearchInput& input = search.setting.input;
  input.model = text_model();
  input.labels.reset();
  input.calibration = in_memory_data(testing::random_inputs(input.model, 1));
  input.evaluation = input.calibration;
  const SearchResult result = search.setting.run(folder.path() / "out");
  EXPECT_EQ(result.document.warnings,
            std::vector<std::string>{
                "the float model has text_accuracy 0 against '" + texts +
                "', which leaves nothing to lose; the truth seems to belong to other samples, or "
                "the keys of the evaluator not to fit the model"});
}

TEST(BaselineCheck, SaysThatATimeLimitIsTooShortAndRunsOneTrial) {
  const TemporaryFolder folder;
  Warned search(
      "quantization_config: {activation_type: QUInt8}\nsearch_latency: false\n"
      "search_space: {calibrate_method: [MinMax, Percentile, Entropy]}\n"
      "search_stop_condition: {time_limit: 1.0e-3}\n");
  const SearchResult result = search.setting.run(folder.path() / "out");
  EXPECT_EQ(result.study.trials.size(), 1U);
  EXPECT_EQ(result.study.trials.front().state, TrialState::complete);
  EXPECT_TRUE(result.met_tolerance);
  EXPECT_TRUE(result.is_cut_short);
  EXPECT_FALSE(result.document.float_model.scores.empty());
  ASSERT_EQ(result.document.warnings.size(), 1U);
  EXPECT_EQ(search.before_trials, result.document.warnings);
  const std::string& warning = result.document.warnings.front();
  EXPECT_EQ(warning.find("measuring the float model took "), 0U);
  EXPECT_NE(warning.find(" s, and the time limit is 0.001 s: one trial runs, so that there is a "
                         "model; give a longer limit"),
            std::string::npos);
}

/// A Conv whose output gets random numbers of its own size.
Model noisy_model() {
  ModelBuilder builder;
  const std::string x = builder.input("x", {1, 2, 4, 4});
  const std::string y = builder.node("Conv", {x, builder.random_weight("w", {2, 2, 1, 1}, 1, 1)});
  const std::string noise = builder.node("RandomNormalLike", {y});
  builder.output(builder.node("Add", {y, noise}), {1, 2, 4, 4});
  return builder.build();
}

TEST(BaselineCheck, SaysThatRandomNumbersAreBeyondTheTolerance) {
  const TemporaryFolder folder;
  Warned search(kOneMethod);
  SearchInput& input = search.setting.input;
  input.model = noisy_model();
  input.labels.reset();
  input.calibration = in_memory_data(testing::random_inputs(input.model, 1));
  input.evaluation = input.calibration;
  const SearchResult result = search.setting.run(folder.path() / "out");
  ASSERT_EQ(result.document.warnings.size(), 1U);
  const std::string& warning = result.document.warnings.front();
  EXPECT_EQ(warning.find("the float model draws random numbers ('"), 0U) << warning;
  EXPECT_NE(warning.find(" against the first, where a candidate may have 0.01; export it without "
                         "them"),
            std::string::npos)
      << warning;
}

}  // namespace
}  // namespace quantsearch
