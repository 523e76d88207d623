#pragma once

// Latency of a candidate beside that of the float model, measured so that a busy or throttled
// machine affects both.

#include <cstdint>
#include <span>
#include <utility>

#include "quantsearch/base/hash.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/model.h"
#include "quantsearch/runtime.h"

namespace quantsearch {

/// Latency of two models that run alternately on the same input, so that a slowdown of the machine
/// affects both runs of a pair.
struct PairedLatency {
  double float_ms = 0;      // median
  double quantized_ms = 0;  // median
  double ratio = 0;         // median over pairs of quantized_ms / float_ms
  /// A 95 % confidence interval of the median ratio by order statistics (David and Nagaraja 2003,
  /// "Order Statistics", section 7.1): with n pairs the ranks n/2 -+ 0.98 sqrt(n). Below six pairs
  /// it is the range of all of them.
  double ratio_low = 0;
  double ratio_high = 0;
  int pairs = 0;

  /// True when the interval excludes 1.
  [[nodiscard]] bool is_faster() const { return pairs > 0 && ratio_high < 1; }
};

/// Medians over at least one pair (float, quantized), in milliseconds.
[[nodiscard]] PairedLatency summarize_pairs(std::span<const std::pair<double, double>> pairs);

/// Runs both sessions alternately on `input` after a warm-up, and changes the order in each pair so
/// that neither always finds the caches that the other one left. `options.threads` describes the
/// sessions and is not used. On a busy machine more pairs are run, until the interval is narrow
/// (5 %) or `most_seconds` have passed. Throws what running throws.
[[nodiscard]] PairedLatency measure_pairs(const Session& float_model, const Session& quantized,
                                          const Batch& input, const LatencyOptions& options = {},
                                          double most_seconds = 0);

/// A key of what determines the time of a model: its operators, attributes, types and shapes, and
/// small integer constants; not the values of scales, weights and biases. Models with equal keys
/// run the same kernels on the same shapes, so that one measurement stands for all of them.
[[nodiscard]] Key kernel_key(const Model& model);

/// The number of QuantizeLinear and DequantizeLinear nodes that convert activations, in all graphs
/// of the model. DequantizeLinear of a stored tensor does not count.
[[nodiscard]] std::int64_t conversions_of(const Model& model);

}  // namespace quantsearch
