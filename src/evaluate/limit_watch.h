#pragma once

// Decides from the samples measured so far whether an evaluation can still meet its limits.

#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "evaluate/sample_metrics.h"
#include "quantsearch/evaluate.h"

namespace quantsearch {

/// Throws InvalidInput for a limit on a metric that is not among `metrics` or does not compare
/// outputs.
void require_limits(std::span<const Metric> metrics, const std::map<Metric, double>& limits);

/// Adds up the measured samples. A limit is missed when even the best values for all remaining
/// samples could not meet it. Thread-safe.
class LimitWatch {
 public:
  /// `weights` are those of the reference's outputs and sum to 1. `slice_signal` holds the energies
  /// of the slices that worst_slice compares.
  LimitWatch(const Reference& reference, const std::map<Metric, double>& limits,
             const std::vector<double>& weights, const std::vector<double>& slice_signal);

  [[nodiscard]] bool empty() const { return limits_.empty(); }
  /// Measured values of some samples.
  struct Measured {
    std::span<const Metric> distances;   // the metrics of `values`
    std::span<const double> values;      // [samples, distances], weighted over outputs
    std::span<const Energies> energies;  // [samples, outputs]
    std::span<const double>
        slice_noise;  // [samples, slices]; empty when worst_slice is not measured
  };
  [[nodiscard]] bool can_hold(const Measured& measured);

 private:
  [[nodiscard]] double best_possible(Metric metric) const;

  std::map<Metric, double> limits_;
  std::vector<double> weights_;
  std::int64_t samples_ = 0;
  std::vector<Energies> energies_;  // by output: the whole signal, the noise so far
  std::vector<double> slice_signal_;
  std::vector<double> slice_noise_;  // by slice, so far
  std::mutex mutex_;
  std::map<Metric, double> sums_;
  std::int64_t seen_ = 0;
};

}  // namespace quantsearch
