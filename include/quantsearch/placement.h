#pragma once

// Finds out by measurement which operators of a model should run on integers on this machine.
// ONNX Runtime's profiles of the float model and of quantized models give the times of operators
// and of the conversions between float and integers; a minimum cut chooses the operators with the
// least total time, and the result is measured beside the float model. What the prediction got
// wrong is corrected by the profile of the measured model, and the choice is made again
// (docs/search.md).

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/log.h"
#include "quantsearch/base/value.h"
#include "quantsearch/data.h"
#include "quantsearch/evaluate/paired_latency.h"
#include "quantsearch/model.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// Operators of one pattern: the same operators with the same attributes and shapes, which run
/// equally long. They are placed together.
struct PatternCost {
  std::string pattern;  // such as "Conv/depthwise [256,1,5,5] stride 1 -> [1,256,14,14], HardSwish"
  std::int64_t units = 0;  // how many times it occurs
  double float_ms = 0;     // all of them, in one run of the float model or a model measured later
  double integer_ms = 0;   // the same on integers
  double conversions_ms =
      0;  // between them and operators placed otherwise, in the chosen placement
  bool can_be_integer = false;
  bool is_integer = false;  // the verdict
  bool operator==(const PatternCost&) const = default;
};

/// A choice of operators that stay float, and how fast the model is.
struct Placement {
  std::vector<std::string> float_nodes;  // node_label()s in the simplified model
  PairedLatency latency;
  std::int64_t conversions = 0;
};

/// Costs of patterns on one machine, in seconds, by pattern; what is known need not be measured.
struct KnownCosts {
  struct Cost {
    double on_float = 0;
    double on_integers = 0;
    bool operator==(const Cost&) const = default;
  };
  std::map<std::string, Cost> patterns;
  bool operator==(const KnownCosts&) const = default;
};
[[nodiscard]] Value to_value(const KnownCosts& costs);
/// Throws InvalidInput when `value` holds no such costs.
[[nodiscard]] KnownCosts known_costs_from(const Value& value);
/// What the times of kernels depend on beside the model: processor, runtime and threads.
[[nodiscard]] std::string machine_text(int threads);

struct PlacementInput {
  const Model& float_model;  // as deployed, the one that latencies are compared with
  const Model& simplified;   // the one that is quantized
  Batch sample;
  /// Quantizes `simplified` with these nodes left float.
  std::function<std::shared_ptr<const QuantizedModel>(const std::vector<std::string>& float_nodes)>
      build;
};

struct PlacementOptions {
  int threads = 1;
  double seconds = 60;  // no further model is measured after this time
  KnownCosts known = {};
  CancellationToken token = {};
  LogSink log = {};
};

struct PlacementResult {
  /// The fastest; those that are not distinguishable from it; and the one in which nothing is left
  /// float. No two of them run the same kernels.
  std::vector<Placement> placements;
  std::vector<PatternCost> patterns;  // most time first
  KnownCosts costs;                   // what was known, with what was measured
  std::int64_t measured = 0;          // models
};

/// Nodes of the float model that one kernel computes, and its time in one run.
struct KernelCost {
  std::vector<int> nodes;         // ascending
  double float_seconds = 0;       // in the float model
  double quantized_seconds = 0;   // of the same nodes in the quantized model
  double conversion_seconds = 0;  // of the tensors that they write, between float and integers
  bool operator==(const KernelCost&) const = default;
};
struct KernelCostOptions {
  int threads = 1;
  double seconds = 0.1;    // of the runs of each of the two models, at least, unless
  int most_runs = 10'000;  // there are as many as this
  CancellationToken token = {};
};
/// Profiles a float model and the quantized one that was made of it, on the CPU. Where nodes stay
/// float, both times are the same except for noise. Throws what opening and running throw, and
/// Cancelled.
[[nodiscard]] std::vector<KernelCost> kernel_costs(const Model& float_model,
                                                   const QuantizedModel& quantized,
                                                   const Batch& sample,
                                                   const KernelCostOptions& options = {});

/// Throws what building, opening and running throw, and Cancelled.
[[nodiscard]] PlacementResult find_placement(const PlacementInput& input,
                                             const PlacementOptions& options);

}  // namespace quantsearch
