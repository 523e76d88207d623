#pragma once

// The results of a small search, with a failed trial and text that would break a careless page.

#include "quantsearch/report.h"

namespace quantsearch::testing {

inline TrialResult example_trial(std::int64_t number, const char* method, double noise) {
  TrialResult trial;
  trial.number = number;
  trial.config = {{"calibrate_method", method}, {"per_channel", true}};
  trial.model.scores = {{"L2", noise}, {"top1", 0.9}};
  trial.model.size_bytes = 2'000'000;
  trial.seconds = 0.5;
  trial.stages["observe"] = {.seconds = number == 0 ? 0.25 : 0.0, .cached = number != 0};
  return trial;
}

/// Trials 0 and 1 are complete, 1 is the best; trial 2 failed.
inline ResultsDocument example_results() {
  ResultsDocument document;
  document.model = "models/a<b>.onnx";
  document.objective = "L2";
  document.tolerance = "L2 at most 0.3";
  document.float_model.scores = {{"L2", 0}, {"top1", 0.91}};
  document.float_model.size_bytes = 8'000'000;
  document.float_model.latency_ms = 2.0;
  document.trials = {example_trial(0, "MinMax", 0.5), example_trial(1, "Entropy", 0.25)};
  TrialResult& best = document.trials[1];
  best.is_candidate = true;
  best.model.latency_ms = 1.0;
  best.model.latency_ratio = LatencyRatio{.ratio = 0.5, .low = 0.45, .high = 0.55, .float_ms = 2};
  best.layer_tables["reconstruction"] =
      Value::List{Value::Map{{"node", "conv"}, {"error_before", 0.25}, {"error_after", 0.125}}};
  TrialResult& failed = document.trials.emplace_back();
  failed.number = 2;
  failed.state = TrialState::failed;
  failed.config = {{"calibrate_method", "MinMSE"}, {"per_channel", true}};
  failed.reason = "no range, said \"it\": </script><img src=x>";
  document.best = 1;
  document.base_trial = 0;
  document.candidates = {1};
  document.stop_reason = "time_limit";
  document.stop_message = "time limit reached";
  document.rebuild_command = "quantsearch quantize 'models/a<b>.onnx'";
  document.space = {.raw = 12, .distinct = 6, .filtered = {{"too few bits", 2}}, .complete = true};
  document.seconds = 1.5;
  document.layers = Value::List{Value::Map{{"node", "conv"},
                                           {"op_type", "Conv"},
                                           {"quantized", true},
                                           {"reason", ""},
                                           {"reads", Value::List{}}}};
  return document;
}

}  // namespace quantsearch::testing
