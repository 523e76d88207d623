#include <fmt/core.h>
#include <gtest/gtest.h>

#include "quantsearch/report.h"
#include "report/example.h"

namespace quantsearch {
namespace {

using testing::example_results;

TEST(Csv, HasALineForEachTrialAndQuotesWhatNeedsIt) {
  EXPECT_EQ(trials_csv(example_results()),
            "trial,state,candidate,L2,top1,size_bytes,latency_ms,latency_ratio,latency_ratio_low,"
            "latency_ratio_high,seconds,calibrate_method,per_channel,reason\r\n"
            "0,complete,false,0.5,0.9,2000000,,,,,0.5,MinMax,true,\r\n"
            "1,complete,true,0.25,0.9,2000000,1.0,0.5,0.45,0.55,0.5,Entropy,true,\r\n"
            "2,failed,false,,,,,,,,0.0,MinMSE,true,"
            "\"no range, said \"\"it\"\": </script><img src=x>\"\r\n");
}

TEST(Csv, OfASearchWithoutTrialsIsItsHead) {
  EXPECT_EQ(trials_csv({}),
            "trial,state,candidate,size_bytes,latency_ms,latency_ratio,latency_ratio_low,"
            "latency_ratio_high,seconds,reason\r\n");
}

Trial study_trial(std::int64_t number, double value) {
  return {.number = number,
          .state = TrialState::complete,
          .point = {{"bits", 8}},
          .value = value,
          .is_candidate = number == 0,
          .seconds = 0.5,
          .reason = {},
          .details = {}};
}

TEST(Csv, OfAStudyHasEveryTrialAndWhatWasMeasuredAfterTheSearch) {
  std::vector<Trial> trials{study_trial(0, 1), study_trial(1, 2), study_trial(2, 3)};
  trials[1].point["more"] = true;
  ResultsDocument document = results_of("study", "L2", {Goal::minimize}, visit_of(trials));
  document.trials.erase(document.trials.begin() + 1);
  document.trials[0].model.latency_ms = 4;
  trials.push_back({.number = 3, .point = {}, .value = {}, .reason = {}, .details = {}});  // runs
  std::string text;
  write_trials_csv(document, visit_of(trials), [&text](std::string_view line) { text += line; });
  EXPECT_EQ(text,
            "trial,state,candidate,L2,size_bytes,latency_ms,latency_ratio,latency_ratio_low,"
            "latency_ratio_high,seconds,bits,more,reason\r\n"
            "0,complete,true,1.0,,4.0,,,,0.5,8,,\r\n"
            "1,complete,false,2.0,,,,,,0.5,8,true,\r\n"
            "2,complete,false,3.0,,,,,,0.5,8,,\r\n");
}

TEST(Results, OfAStudyOfManyTrialsListAPartAndSaySo) {
  constexpr std::int64_t kMany = 30'000;
  const ResultsDocument document =
      results_of("study", "L2", {Goal::minimize}, [](const std::function<void(Trial &&)>& take) {
        for (std::int64_t number = 0; number < kMany; ++number)
          take(study_trial(number, static_cast<double>((number * 7919 + 5) % 30'011)));
      });
  EXPECT_EQ(document.trials_in_all, kMany);
  EXPECT_LT(document.trials.size(), 12'001U);
  ASSERT_TRUE(document.best.has_value());
  EXPECT_EQ(results_from(to_value(document)).trials_in_all, kMany);
  const std::string listed = fmt::format("{} of 30000 trials are listed", document.trials.size());
  EXPECT_NE(summary_text(document, 1000).find(listed), std::string::npos);
  EXPECT_NE(markdown_report(document).find(listed), std::string::npos);
  EXPECT_NE(markdown_report(document).find("30000 trials in 15000 s, at least 1 candidates"),
            std::string::npos);
}

TEST(Results, OfTrialsInTheOrderInWhichTheyEndedAreTheSame) {
  constexpr std::int64_t kMany = 20'000;
  const auto trial_at = [](std::int64_t number) {
    return study_trial(number, static_cast<double>(20'000 - number / 2 + (number * 7919) % 4001));
  };
  const ResultsDocument in_order =
      results_of("study", "L2", {Goal::minimize}, [&](const std::function<void(Trial &&)>& take) {
        for (std::int64_t number = 0; number < kMany; ++number) take(trial_at(number));
      });
  TrialsSoFar trials(Goal::minimize, {Goal::minimize});
  for (std::int64_t place = 0; place < kMany; ++place) trials.add(trial_at(place ^ 5));
  EXPECT_EQ(to_json(to_value(results_of("study", "L2", {Goal::minimize}, trials))),
            to_json(to_value(in_order)));
}

TEST(Results, OfAStudyWithSeveralGoalsHaveItsFront) {
  std::vector<Trial> trials{study_trial(0, 1), study_trial(1, 2), study_trial(2, 3)};
  trials[0].objectives = {1, 5};
  trials[1].objectives = {2, 6};
  trials[2].objectives = {3, 4};
  const std::vector<Goal> goals{Goal::minimize, Goal::minimize};
  EXPECT_EQ(results_of("study", "L2", goals, visit_of(trials)).front,
            (std::vector<std::int64_t>{0, 2}));
}

TEST(Markdown, HasTheResultTheReasonsAndWhatToDo) {
  ResultsDocument document = example_results();
  document.trials[2].reason = "a | b";
  document.trials[0].config["calibrate_method"] = "Min|Max";
  EXPECT_EQ(markdown_report(document),
            "# Search of models/a<b>.onnx\n\n"
            "3 trials in 2 s, 1 candidates (L2 at most 0.3).\n\n"
            "| model | L2 | top1 | MB | ms | settings |\n"
            "| --- | --- | --- | --- | --- | --- |\n"
            "| float | 0 | 0.91 | 8.00 | 2 |  |\n"
            "| **best**, trial 1 | 0.25 | 0.9 | 2.00 | 1 | calibrate_method=Entropy "
            "per_channel=true |\n"
            "| trial 0 | 0.5 | 0.9 | 2.00 |  | calibrate_method=Min\\|Max per_channel=true |\n"
            "\nTrial 2 failed: a | b\n"
            "\nNext:\n\n"
            "- Run best.onnx on data of your own that the search has not seen, on the machine that "
            "will use it (quantsearch evaluate).\n"
            "- 3 of 6 configurations were tried: the same search with --resume and a higher limit "
            "goes on.\n"
            "\nTo build the best model again:\n\n"
            "    quantsearch quantize 'models/a<b>.onnx'\n");
}

TEST(Comparison, SetsBothSideBySideWithin80Columns) {
  ResultsDocument second = example_results();
  second.model = "models/other.onnx";
  second.trials[1].model.scores["L2"] = 0.125;
  second.trials[1].config["calibrate_method"] = "LayerWiseMethod.LayerWisePercentile";
  second.trials[1].model.latency_ratio.reset();
  EXPECT_EQ(comparison_text(example_results(), second),
            "                                first  second\n"
            "model                       a<b>.onnx  other.onnx\n"
            "best trial                          1  1\n"
            "L2                               0.25  0.125\n"
            "top1                              0.9  0.9\n"
            "MB                               2.00  2.00\n"
            "ms                              1.000  1.000\n"
            "time / float      0.50 (0.45 to 0.55)\n"
            "trials                              3  3\n"
            "candidates                          1  1\n"
            "seconds                           1.5  1.5\n"
            "calibrate_method              Entropy  ...d.LayerWisePercentile\n");
}

TEST(Comparison, OfSearchesWithoutATrialSaysNone) {
  const std::string text = comparison_text({}, {});
  EXPECT_NE(text.find("best trial"), std::string::npos);
  EXPECT_NE(text.find("none  none\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace quantsearch
