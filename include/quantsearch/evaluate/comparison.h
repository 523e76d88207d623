#pragma once

// A quantized model beside its float model: what a user who asks for scores is told.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/base/value.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/evaluate/own_noise.h"
#include "quantsearch/evaluate/task.h"

namespace quantsearch {

struct ComparisonInput {
  const Model& float_model;
  const Model& candidate;
  std::shared_ptr<const DataSource> data;
  std::optional<Labels> labels = {};
};

struct ComparisonOptions {
  std::vector<Metric> metrics = {};     // empty: all that the data allow
  std::int64_t batch = 0;               // samples per run; 0: chosen from model and data
  bool latency = false;                 // measure both models, each alone, on one thread
  Device device = {};                   // where both run
  std::optional<TaskConfig> task = {};  // whose scores are added
  CancellationToken token = {};
  LogSink log = {};
};

struct Comparison {
  Scores float_model;  // with its latency, when it was measured
  Scores candidate;
  std::int64_t samples = 0;
  std::optional<OwnNoise> own_noise;  // of a float model that draws random numbers
  /// The outputs of the float model with slices of different scales, which worst_slice compares.
  struct SlicedOutput {
    std::string name;
    std::size_t slices = 0;
    int axis = 0;
  };
  std::vector<SlicedOutput> sliced = {};
};

/// Scores both models. Warns when the float model differs from itself. Throws as Reference,
/// make_task() and evaluate() do.
[[nodiscard]] Comparison compare_models(const ComparisonInput& input,
                                        const ComparisonOptions& options, ThreadPool& pool,
                                        const ByteBudget& budget);

/// {float: {scores, size_bytes, latency_ms}, quantized: the same, samples,
/// float_rel_l2_against_itself}.
[[nodiscard]] Value to_value(const Comparison& comparison);

}  // namespace quantsearch
