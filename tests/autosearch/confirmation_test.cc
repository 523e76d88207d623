#include "autosearch/confirmation.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "autosearch/search_setting.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

using Setting = testing::SearchSetting;

constexpr const char* kConfig =
    "{search_metric_tolerance: 1000, search_space: {activation_type: [QUInt8, QInt8], per_channel: "
    "[false, true],"
    " calibrate_method: [MinMax, Percentile, Entropy]}}";

TEST(Confirmation, TheBestScoreWinsAndTiesGoToTheEarlierTrial) {
  const Confirmation confirmation{
      .samples = 3, .float_score = 0, .scores = {{7, 0.5}, {2, 0.25}, {9, 0.25}, {4, 0.75}}};
  EXPECT_EQ(confirmed_best(confirmation, Goal::minimize), 2);
  EXPECT_EQ(confirmed_best(confirmation, Goal::maximize), 4);
}

// The same configurations have the same scores in a separate search that is evaluated on those
// samples.
TEST(Confirmation, ScoresTheBestOnSamplesThatNoTrialSaw) {
  const TemporaryFolder folder;
  const TemporaryFolder other;
  Setting setting(kConfig);
  setting.config.goals.confirmation = 0.25;
  const SearchResult result = setting.run(folder.path());
  const Confirmation& confirmation = result.document.confirmation.value();
  EXPECT_EQ(confirmation.samples, 16);
  EXPECT_EQ(confirmation.float_score, 0);
  ASSERT_EQ(confirmation.scores.size(), 5U);

  Setting alone(kConfig);
  alone.input.evaluation = subset(alone.input.evaluation, 48, 16);
  alone.input.labels = Labels(alone.input.labels->begin() + 48, alone.input.labels->end());
  const SearchResult judged = alone.run(other.path());
  std::optional<double> last;
  for (const auto& [number, score] : confirmation.scores) {
    const Trial& trial = result.study.trials.at(static_cast<std::size_t>(number));
    const auto same = std::ranges::find(judged.study.trials, trial.point, &Trial::point);
    ASSERT_NE(same, judged.study.trials.end());
    EXPECT_EQ(score, *same->value);
    EXPECT_LE(last.value_or(0), *trial.value) << "best first";
    last = *trial.value;
  }
  EXPECT_EQ(result.best, confirmed_best(confirmation, Goal::minimize));
  EXPECT_EQ(read_file(folder.path() / "best.onnx"),
            read_file(folder.path() / "candidates" / fmt::format("{:04}.onnx", *result.best)));
}

// A ranking by three samples is mostly luck: among percentiles that are nearly equal, the
// confirmation on the 61 other samples chooses another.
TEST(Confirmation, MayChooseAnotherThanTheSearch) {
  const TemporaryFolder folder;
  Setting setting(
      "{search_metric_tolerance: 1000, search_space: {calibrate_method: [Percentile], "
      "extra_options: {Percentile: [99.97, 99.98, 99.99, "
      "99.995, 99.999]}}}");
  setting.config.goals.confirmation = 61.0 / 64;
  const SearchResult result = setting.run(folder.path());
  const Confirmation& confirmation = result.document.confirmation.value();
  ASSERT_EQ(confirmation.samples, 61);
  EXPECT_NE(result.best, confirmation.scores.front().first);
  EXPECT_EQ(result.best, confirmed_best(confirmation, Goal::minimize));
  EXPECT_EQ(read_file(folder.path() / "best.onnx"),
            read_file(folder.path() / "candidates" / fmt::format("{:04}.onnx", *result.best)));
  EXPECT_NE(summary_text(result.document)
                .find(fmt::format("trial {} is the best there and was chosen", *result.best)),
            std::string::npos);
}

TEST(Confirmation, SharesThatLeaveNoSamplesAreRefused) {
  const TemporaryFolder folder;
  Setting setting(kConfig);
  for (const double share : {-0.5, 1.0, 1e-3, 0.999}) {
    setting.config.goals.confirmation = share;
    EXPECT_THROW((void)setting.run(folder.path()), InvalidInput) << share;
  }
}

TEST(Confirmation, IsRefusedWithACustomEvaluator) {
  const TemporaryFolder folder;
  Setting setting(kConfig);
  setting.config.goals.confirmation = 0.5;
  setting.adjust = [](SearchEnvironment& environment) {
    environment.evaluator = CustomEvaluator{
        .score = [](const std::filesystem::path&, const CancellationToken&) { return 1.0; }};
  };
  EXPECT_THROW((void)setting.run(folder.path()), InvalidInput);
}

}  // namespace
}  // namespace quantsearch
