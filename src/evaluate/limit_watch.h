#pragma once

// Whether the limits of an evaluation can still hold, from the samples seen so far.

#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "evaluate/sample_metrics.h"
#include "quantsearch/evaluate.h"

namespace quantsearch {

/// Throws InvalidInput for a limit on what is not among `metrics` or compares no outputs.
void require_limits(std::span<const Metric> metrics, const std::map<Metric, double>& limits);

/// A limit is missed for sure when even the best values for all samples not seen could not keep it.
/// Thread-safe.
class LimitWatch {
 public:
  /// `weights` of the reference's outputs, sum 1.
  /// `slice_signal`: energies of the slices that worst_slice compares.
  LimitWatch(const Reference& reference, const std::map<Metric, double>& limits,
             const std::vector<double>& weights, const std::vector<double>& slice_signal);

  [[nodiscard]] bool empty() const { return limits_.empty(); }
  /// Of samples that were measured.
  struct Measured {
    std::span<const Metric> distances;   // whose values these are:
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
  std::vector<Energies> energies_;  // by output: all of the signal, the noise so far
  std::vector<double> slice_signal_;
  std::vector<double> slice_noise_;  // so far
  std::mutex mutex_;
  std::map<Metric, double> sums_;
  std::int64_t seen_ = 0;
};

}  // namespace quantsearch
