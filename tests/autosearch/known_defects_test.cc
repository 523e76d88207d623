// Defects of AMD Quark's search on these models, which this search must not have. Tests of single
// parts are with those parts; here the claims are tested with complete searches.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "autosearch/search_setting.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/runtime.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;
using testing::best_of;
using testing::kSource;
using testing::score_of;
using Setting = testing::SearchSetting;

const fs::path kDefectModel = kSource / "tests/data/mobilenet_hard.onnx";

/// Collects the warnings of a search.
void keep_warnings(Setting& setting, std::vector<std::string>& warnings) {
  setting.adjust = [&warnings](SearchEnvironment& environment) {
    environment.log = [&warnings](LogLevel level, std::string_view line) {
      if (level == LogLevel::warning) warnings.emplace_back(line);
    };
  };
}

TEST(KnownDefects, CalibrationDataAloneScoreTheCandidatesToo) {
  const TemporaryFolder folder;
  Setting setting("search_space: {activation_type: [QUInt8, QInt8]}");
  setting.input.evaluation = nullptr;
  setting.input.labels = std::nullopt;
  std::vector<std::string> warnings;
  keep_warnings(setting, warnings);
  const SearchResult result = setting.run(folder.path());
  EXPECT_EQ(result.study.candidates.size(), 2U);
  for (const Trial& trial : result.study.trials) {
    for (const auto& [name, score] : trial.details.find("scores")->as_map()) {
      EXPECT_TRUE(std::isfinite(score.as_double())) << name << " of " << to_string(trial.point);
    }
  }
  EXPECT_EQ(warnings,
            std::vector<std::string>{
                "the calibration data also score the candidates; give --evaluation DATA or "
                "--holdout FRACTION for an honest judgement"});
}

class EveryMetric : public ::testing::TestWithParam<Metric> {};

TEST_P(EveryMetric, RanksTheWidestTypeBestAndTheCoarsestScaleWorst) {
  const TemporaryFolder folder;
  Setting setting(
      "{search_space: {activation_type: [QInt8, QInt16], calibrate_method: [MinMax, "
      "NonOverflow]}}");
  setting.config.goals.metric = GetParam();
  setting.config.goals.tolerance = metric_info(GetParam()).direction == Goal::minimize ? 1e9 : 1;
  const SearchResult result = setting.run(folder.path());
  const Goal direction = metric_info(GetParam()).direction;
  for (const Trial& trial : result.study.trials) {
    EXPECT_FALSE(is_better(*trial.value, *best_of(result).value, direction))
        << to_string(trial.point);
  }
  EXPECT_EQ(best_of(result).point.at("activation_type"), Value("QInt16"));
  const auto least_l2 = std::ranges::min(result.study.trials, {},
                                         [](const Trial& trial) { return score_of(trial, "L2"); });
  EXPECT_LE(score_of(best_of(result), "L2"), 1.5 * score_of(least_l2, "L2"));
}

INSTANTIATE_TEST_SUITE_P(KnownDefects, EveryMetric,
                         ::testing::Values(Metric::l1, Metric::l2, Metric::rel_l2, Metric::cos,
                                           Metric::psnr, Metric::ssim, Metric::sqnr, Metric::kl),
                         [](const auto& info) { return metric_info(info.param).name; });

class DefaultTolerance : public ::testing::TestWithParam<Metric> {};

TEST_P(DefaultTolerance, RefusesATypeThatDestroysTheModelAndAcceptsOneThatDoesNot) {
  const TemporaryFolder folder;
  // One misclassified image is within the tolerance of top1 only among many images.
  const std::int64_t judging = GetParam() == Metric::top1 ? 1000 : 64;
  Setting setting(
      "{quantization_config: {calibrate_method: MinMax, activation_type: QInt16, per_channel: "
      "false}, search_space: {weight_type: [QInt8, QInt16]}}",
      kDefectModel, judging);
  setting.config.goals.metric = GetParam();
  const SearchResult result = setting.run(folder.path());
  ASSERT_EQ(result.study.trials.size(), 2U);
  for (const Trial& trial : result.study.trials) {
    const bool is_wide = trial.point.at("weight_type") == Value("QInt16");
    EXPECT_EQ(trial.is_candidate, is_wide) << to_string(trial.point);
    EXPECT_EQ(score_of(trial, "sqnr") > 5, is_wide) << "not the destroyed model it should be";
  }
  EXPECT_EQ(best_of(result).point.at("weight_type"), Value("QInt16"));
}

INSTANTIATE_TEST_SUITE_P(KnownDefects, DefaultTolerance,
                         ::testing::Values(Metric::l1, Metric::l2, Metric::rel_l2, Metric::cos,
                                           Metric::psnr, Metric::ssim, Metric::sqnr, Metric::kl,
                                           Metric::top1),
                         [](const auto& info) { return metric_info(info.param).name; });

TEST(KnownDefects, AnAllDestroyedSpaceHasNoCandidate) {
  const TemporaryFolder folder;
  Setting setting(
      "{quantization_config: {calibrate_method: MinMax, activation_type: QInt8, extra_options: "
      "{ActivationSymmetric: true}}, search_space: {per_channel: [false]}}",
      kDefectModel);
  const SearchResult result = setting.run(folder.path());
  ASSERT_EQ(result.study.trials.size(), 1U);
  EXPECT_FALSE(result.met_tolerance);
  EXPECT_TRUE(result.study.candidates.empty());
  EXPECT_TRUE(fs::exists(folder.path() / "best.onnx"))
      << "the best so far is delivered all the same";
}

/// Returns the mean over samples of the mean squared difference, as docs/metrics.md defines it.
double mean_square_between(const Model& reference, const Model& candidate, const DataSource& data) {
  const auto reference_session = open_session(reference);
  const auto candidate_session = open_session(candidate);
  const std::string output = reference.graph.outputs.at(0).name;
  double sum = 0;
  for (std::int64_t sample = 0; sample < data.size(); ++sample) {
    const Batch inputs = data.read(sample, 1);
    const Batch expected = reference_session->run(inputs);
    const Batch got = candidate_session->run(inputs);
    const auto wanted = expected.at(output).values<float>();
    const auto values = got.at(output).values<float>();
    double squares = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const double difference = static_cast<double>(wanted[i]) - static_cast<double>(values[i]);
      squares += difference * difference;
    }
    sum += squares / static_cast<double>(wanted.size());
  }
  return sum / static_cast<double>(data.size());
}

TEST(KnownDefects, L2IsTheMeanSquareInEverySearch) {
  for (const SearchAlgorithm algorithm : {SearchAlgorithm::grid, SearchAlgorithm::random}) {
    const TemporaryFolder folder;
    Setting setting("{search_metric: L2, search_space: {activation_type: [QUInt8, QInt8]}}");
    setting.config.strategy.algorithm = algorithm;
    const SearchResult result = setting.run(folder.path());
    const double expected = mean_square_between(
        setting.input.model, load_model(folder.path() / "best.onnx"), *setting.input.evaluation);
    EXPECT_NEAR(*best_of(result).value, expected, 1e-6 * expected);
  }
}

TEST(KnownDefects, AsymmetricPowerOfTwoKeepsTheModelsAccuracy) {
  const TemporaryFolder folder;
  Setting setting(R"(
search_metric: top1
search_space:
  calibrate_method: [PowerOfTwoMethod.MinMSE]
  activation_type: [QInt8]
  extra_options: {ActivationSymmetric: [true, false]}
)");
  const SearchResult result = setting.run(folder.path());
  ASSERT_EQ(result.study.trials.size(), 2U);
  const double float_accuracy = result.document.float_model.scores.at("top1");
  for (const Trial& trial : result.study.trials) {
    EXPECT_NEAR(score_of(trial, "top1"), float_accuracy, 0.02) << to_string(trial.point);
    EXPECT_LT(score_of(trial, "rel_l2"), 0.005) << to_string(trial.point);
  }
}

TEST(KnownDefects, ADistanceThatRanksMixedWidthsGivesAWarning) {
  const TemporaryFolder folder;
  Setting setting("{search_metric: L2, search_space: {activation_type: [QUInt8, QUInt16]}}");
  std::vector<std::string> warnings;
  keep_warnings(setting, warnings);
  const SearchResult result = setting.run(folder.path());
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_TRUE(warnings[0].starts_with("the space holds 8-bit and 16-bit activations and L2"));
  EXPECT_EQ(best_of(result).point.at("activation_type"), Value("QUInt16"));
  EXPECT_NE(summary_text(result.document).find("\nbest 8 bit (trial "), std::string::npos);
}

TEST(KnownDefects, ACacheFolderWithUserFilesIsRefusedAndLeftUnchanged) {
  const TemporaryFolder folder;
  const TemporaryFolder cache;
  std::ofstream(cache.path() / "mine.txt") << "mine";
  Setting setting("search_space: {activation_type: [QUInt8]}");
  setting.config.output.cache_folder = cache.path();
  EXPECT_THROW((void)setting.run(folder.path()), InvalidInput);
  EXPECT_EQ(read_file(cache.path() / "mine.txt"), "mine");
}

TEST(KnownDefects, FilesThatTheUserAddsToTheCacheFolderStay) {
  const TemporaryFolder parent;
  const fs::path cache = parent.path() / "cache";
  Setting setting("search_space: {activation_type: [QUInt8]}");
  setting.config.output.cache_folder = cache;
  setting.adjust = [&cache](SearchEnvironment& environment) {
    environment.budget = ByteBudget(1024);  // too small for the float outputs, which are spilled
    environment.on_trial = [&cache](const Trial&) { std::ofstream(cache / "mine.txt") << "mine"; };
  };
  const TemporaryFolder output;
  (void)setting.run(output.path());
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(cache)) left.push_back(entry.path());
  EXPECT_EQ(left, std::vector<fs::path>{cache / "mine.txt"});
  EXPECT_EQ(read_file(cache / "mine.txt"), "mine");
}

}  // namespace
}  // namespace quantsearch
