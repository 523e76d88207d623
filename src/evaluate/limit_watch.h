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
  LimitWatch(const Reference& reference, const std::map<Metric, double>& limits,
             const std::vector<double>& weights);

  [[nodiscard]] bool empty() const { return limits_.empty(); }
  /// Adds samples: `values` [samples, distances] weighted over outputs, `energies` [samples,
  /// outputs].
  [[nodiscard]] bool can_hold(std::span<const Metric> distances, std::span<const double> values,
                              std::span<const Energies> energies);

 private:
  [[nodiscard]] double best_possible(Metric metric) const;

  std::map<Metric, double> limits_;
  std::vector<double> weights_;
  std::int64_t samples_ = 0;
  std::vector<Energies> energies_;  // by output: all of the signal, the noise so far
  std::mutex mutex_;
  std::map<Metric, double> sums_;
  std::int64_t seen_ = 0;
};

}  // namespace quantsearch
