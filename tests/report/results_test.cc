#include <gtest/gtest.h>

#include <limits>
#include <sstream>

#include "quantsearch/base/error.h"
#include "quantsearch/report.h"

namespace quantsearch {
namespace {

TrialResult complete(std::int64_t number, const char* type, std::map<std::string, double> scores) {
  TrialResult trial;
  trial.number = number;
  trial.config = {{"activation_type", type}};
  trial.model.scores = std::move(scores);
  trial.model.size_bytes = 110'000;
  trial.seconds = 0.25;
  return trial;
}

ResultsDocument example() {
  ResultsDocument document;
  document.model = "model.onnx";
  document.objective = "L2";
  document.tolerance = "L2 at most 0.1";
  document.float_model = {
      .scores = {{"L2", 0}, {"top1", 0.9}}, .size_bytes = 400'000, .latency_ms = 0.5};
  document.trials = {complete(0, "QInt8", {{"L2", 0.2}, {"top1", 0.8}}),
                     complete(1, "QUInt8", {{"L2", 0.05}, {"top1", 0.9}}),
                     {}};
  document.trials[0].stages = {{"quantize", {.seconds = 0.125, .cached = false}},
                               {"observe", {.seconds = 0, .cached = true}}};
  document.trials[1].is_candidate = true;
  document.trials[1].float_layers = 3;
  document.trials[0].is_feasible = false;
  document.trials[1].model.latency_ms = 0.25;
  document.trials[2].number = 2;
  document.trials[2].state = TrialState::failed;
  document.trials[2].config = {{"activation_type", "QInt16"}};
  document.trials[2].reason = "the evaluator fell over";
  document.trials[0].layer_tables["reconstruction"] =
      Value::List{Value::Map{{"node", "conv1"}, {"tuned", true}, {"error_before", 0.25}}};
  document.trials[1].arithmetic = {.graph = {{"L2", 0.05}, {"rel_l2", 0.01}},
                                   .processor = {{"L2", 0.05}, {"rel_l2", 0.01}},
                                   .differ = false};
  document.best = 1;
  document.candidates = {1};
  document.stop_reason = "space_exhausted";
  document.stop_message = "the space is exhausted";
  document.space = {.raw = 6, .distinct = 3, .filtered = {{"no such thing", 2}}, .complete = true};
  document.seconds = 1.5;
  document.peak_rss_bytes = 123'456'789;
  document.provenance = Value::Map{{"quantsearch", "0.1.0"}, {"seed", 3}};
  document.processor =
      Processor{.architecture = "x86_64", .model = "Some <CPU>", .features = {"avx2"}};
  document.cache_hits = 4;
  document.cache_misses = 2;
  document.cache_seconds_saved = 0.5;
  return document;
}

/// The summary in lines of any length.
std::string unbroken_summary(const ResultsDocument& document) {
  return summary_text(document, 1000);
}

ResultsDocument confirmed_example() {
  ResultsDocument document = example();
  document.confirmation = {.samples = 16, .float_score = 0, .scores = {{1, 0.06}}};
  return document;
}

TEST(Results, AreReadAsTheyWereWritten) {
  const Value written = to_value(confirmed_example());
  const ResultsDocument again = results_from(parse_json(to_json(written), "test"));
  EXPECT_EQ(to_json(to_value(again)), to_json(written));
  EXPECT_EQ(again.trials, example().trials);
  EXPECT_EQ(again.float_model, example().float_model);
  EXPECT_EQ(again.confirmation, confirmed_example().confirmation);
  EXPECT_EQ(again.processor, example().processor);
  EXPECT_EQ(again.provenance, example().provenance);
}

TEST(Results, ANonFiniteScoreIsReadAsAbsent) {
  ResultsDocument document = example();
  document.trials[1].model.scores["sqnr"] = std::numeric_limits<double>::infinity();
  const ResultsDocument again = results_from(parse_json(to_json(to_value(document)), "test"));
  EXPECT_EQ(again.trials, example().trials);
}

TEST(Results, TheSummaryNamesTheResultOfTheConfirmation) {
  ResultsDocument document = confirmed_example();
  EXPECT_NE(
      unbroken_summary(document).find("confirmed on 16 samples that no trial saw, L2: float 0, "
                                      "trial 1 0.06; the search's best is the best there too"),
      std::string::npos);
  document.confirmation->scores = {{0, 0.5}, {1, 0.06}};
  EXPECT_NE(unbroken_summary(document).find("trial 1 is the best there and was chosen"),
            std::string::npos);
}

TEST(Results, TheSummaryNamesBothScoresWhenTheProcessorDiffersFromTheGraph) {
  ResultsDocument document = example();
  EXPECT_EQ(unbroken_summary(document).find("saturate"), std::string::npos);
  document.trials[1].arithmetic = {.graph = {{"L2", 0.05}, {"rel_l2", 0.01}},
                                   .processor = {{"L2", 0.25}, {"rel_l2", 0.5}},
                                   .differ = true,
                                   .advice = "; use target cpu, or reduce_range"};
  EXPECT_NE(
      unbroken_summary(document).find("best has L2 0.25 on this processor, whose integer kernels "
                                      "saturate, and 0.05 as its graph says; use "
                                      "target cpu, or reduce_range\n"),
      std::string::npos)
      << unbroken_summary(document);
  document.objective = "custom";  // an external evaluator's score exists only once
  for (TrialResult& trial : document.trials) trial.model.scores["custom"] = 1;
  EXPECT_NE(unbroken_summary(document).find("best has rel_l2 0.5 on this processor"),
            std::string::npos)
      << unbroken_summary(document);
}

TEST(Results, HaveTheDocumentedKeys) {
  const Value value = to_value(example());
  for (const char* key : {"schema", "model", "float", "trials", "best", "candidates", "stop_reason",
                          "space", "seconds", "peak_rss_bytes", "processor"}) {
    EXPECT_NE(value.find(key), nullptr) << key;
  }
  const Value& trial = value.find("trials")->as_list()[0];
  for (const char* key : {"number", "state", "config", "scores", "size_bytes", "latency_ms",
                          "seconds", "stages", "reason"}) {
    EXPECT_NE(trial.find(key), nullptr) << key;
  }
  EXPECT_EQ(to_json(*value.find("space")->find("filtered")), R"({"no such thing":2})");
}

TEST(Results, OtherFilesAreRefused) {
  const auto message_of = [](const char* json) {
    try {
      (void)results_from(parse_json(json, "test"));
    } catch (const InvalidInput& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  EXPECT_EQ(message_of("{}"), "results: got no 'schema', expected a results.json of schema 1");
  EXPECT_EQ(message_of(R"({"schema": 2})"), "results: got schema 2, expected 1");
}

TEST(Results, TheTableHasTheBestFirstAndTheFailedLast) {
  EXPECT_EQ(trials_table(example()),
            "trial       L2  top1    size   latency\n"
            "1 (best)  0.05   0.9  110 kB  0.250 ms  activation_type=QUInt8\n"
            "0          0.2   0.8  110 kB            activation_type=QInt8\n"
            "float        0   0.9  400 kB  0.500 ms\n"
            "trial 2 failed: activation_type=QInt16: the evaluator fell over\n");
}

TEST(Results, TheSummaryNamesBestAndWorst) {
  EXPECT_EQ(summary_text(example()),
            "                   L2  top1    size   latency\n"
            "float               0   0.9  400 kB  0.500 ms\n"
            "best (trial 1)   0.05   0.9  110 kB  0.250 ms  activation_type=QUInt8\n"
            "worst (trial 0)   0.2   0.8  110 kB            activation_type=QInt8\n"
            "best is 2.00 times as fast as float on this machine\n"
            "3 trials in 1.5 s, 1 candidates (L2 at most 0.1); the space is exhausted\n");
}

TEST(Results, WhatAllTrialsHaveInCommonIsSaidOnce) {
  ResultsDocument document = example();
  for (TrialResult& trial : document.trials) trial.config["include_cle"] = false;
  for (const std::string& text :
       {summary_text(document), trials_table(document), report_text(document)}) {
    EXPECT_EQ(text.find("every trial: cle=false\n"), text.rfind("cle") - 13) << text;
    EXPECT_EQ(text.find("include_cle"), std::string::npos) << text;
  }
}

TEST(Results, NoLineOfTheReportIsWiderThanTheTerminal) {
  ResultsDocument document = confirmed_example();
  document.front = {0, 1};
  document.tolerance = std::string("L2 at most 0.123456 (float 0, tolerance 0.1) and so on");
  document.trials[2].reason = std::string(200, 'r');
  for (TrialResult& trial : document.trials) {
    trial.number += 123'456;
    trial.config["extra_options.FastFinetune.OptimAlgorithm"] = "adaround";
    trial.config["nodes_to_exclude"] =
        Value::List{std::string(90, 'n') + std::to_string(trial.number), "b", "c"};
    for (const char* name : {"rel_l2", "worst_slice", "cos"})
      trial.model.scores[name] = 1.23456789e-10;
  }
  document.best = 123'457;
  for (const std::size_t width : {40U, 80U, 132U}) {
    std::istringstream lines(report_text(document, width));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), width) << line;
  }
}

TEST(Results, TheSummaryShowsTheBestEightBitTrialWhenSixteenBitsWin) {
  ResultsDocument document = example();
  document.trials[2] = complete(2, "QInt16", {{"L2", 0.001}, {"top1", 0.9}});
  document.best = 2;
  EXPECT_EQ(summary_text(document),
            "                         L2  top1    size   latency\n"
            "float                     0   0.9  400 kB  0.500 ms\n"
            "best (trial 2)        0.001   0.9  110 kB            activation_type=QInt16\n"
            "best 8 bit (trial 1)   0.05   0.9  110 kB  0.250 ms  activation_type=QUInt8\n"
            "worst (trial 0)         0.2   0.8  110 kB            activation_type=QInt8\n"
            "3 trials in 1.5 s, 1 candidates (L2 at most 0.1); the space is exhausted\n");
}

TEST(Results, OfEqualTrialsTheOneInBestOnnxIsFirst) {
  ResultsDocument document = example();
  document.trials[2] = complete(2, "QInt8", {{"L2", 0.05}, {"top1", 0.9}});
  document.trials[2].is_candidate = true;
  document.best = 2;
  EXPECT_TRUE(trials_table(document).find("2 (best)") < trials_table(document).find("1 *"));
  EXPECT_NE(summary_text(document).find("best (trial 2)"), std::string::npos);
}

TEST(Results, ASlowBestPointsToAFasterCandidate) {
  ResultsDocument document = example();
  document.trials[0].is_candidate = true;
  document.trials[0].model.latency_ms = 0.2;
  document.trials[1].model.latency_ms = 1.0;
  EXPECT_NE(unbroken_summary(document).find("best is 2.00 times slower than float on this machine; "
                                            "trial 0 is a candidate that is faster than float\n"),
            std::string::npos);
}

TEST(Results, TheSummaryLeavesOutTheSpeedOfAnNpuModel) {
  ResultsDocument document = example();
  document.for_npu = true;
  EXPECT_EQ(summary_text(document).find("than float"), std::string::npos);
  EXPECT_EQ(summary_text(document).find("as fast as float"), std::string::npos);
  EXPECT_TRUE(results_from(to_value(document)).for_npu);
}

}  // namespace
}  // namespace quantsearch
