#include "evaluate/limit_watch.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "evaluate/pair_sums.h"
#include "evaluate/sample_pair.h"
#include "evaluate/slices.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

// Sums in another order differ in the last digits, and a limit that is met exactly must not count
// as missed.
constexpr double kRounding = 1e-9;

bool is_missed(Metric metric, double value, double limit) {
  const double slack = kRounding * std::max(std::abs(value), std::abs(limit));
  return metric_info(metric).direction == Goal::minimize ? value > limit + slack
                                                         : value < limit - slack;
}

/// Sums of squares of the reference's outputs, without noise yet.
std::vector<Energies> signals_of(const Reference& reference) {
  std::vector<Energies> signals(reference.output_names().size());
  for (std::int64_t run = 0; run < reference.data().size(); run += reference.batch()) {
    const Batch outputs = reference.outputs(run);
    for (std::size_t output = 0; output < signals.size(); ++output) {
      const Tensor tensor = to_float32(outputs.at(reference.output_names()[output]));
      const std::vector<float> values = finite_values(tensor.values<float>());
      signals[output].signal += sum_pair(values, values).squared_reference;
    }
  }
  return signals;
}

}  // namespace

void require_limits(std::span<const Metric> metrics, const std::map<Metric, double>& limits) {
  for (const auto& [metric, limit] : limits) {
    if (is_distance(metric) && std::ranges::find(metrics, metric) != metrics.end()) continue;
    throw InvalidInput(fmt::format(
        "evaluate: a limit is given for '{}', expected one of the distances that are measured",
        metric_info(metric).name));
  }
}

LimitWatch::LimitWatch(const Reference& reference, const std::map<Metric, double>& limits,
                       const std::vector<double>& weights, const std::vector<double>& slice_signal)
    : limits_(limits),
      weights_(weights),
      samples_(reference.data().size()),
      slice_signal_(slice_signal),
      slice_noise_(slice_signal.size()) {
  if (limits_.contains(Metric::rel_l2)) energies_ = signals_of(reference);
}

bool LimitWatch::can_hold(const Measured& measured) {
  const std::lock_guard lock(mutex_);
  const std::span<const Metric> distances = measured.distances;
  for (std::size_t i = 0; i < measured.values.size(); ++i)
    sums_[distances[i % distances.size()]] += measured.values[i];
  if (!energies_.empty()) {
    for (std::size_t i = 0; i < measured.energies.size(); ++i)
      energies_[i % energies_.size()].noise += measured.energies[i].noise;
  }
  for (std::size_t i = 0; i < measured.slice_noise.size(); ++i)
    slice_noise_[i % slice_noise_.size()] += measured.slice_noise[i];
  seen_ += static_cast<std::int64_t>(measured.energies.size() / weights_.size());
  return std::ranges::none_of(limits_, [&](const auto& limit) {
    return is_missed(limit.first, best_possible(limit.first), limit.second);
  });
}

double LimitWatch::best_possible(Metric metric) const {
  if (metric == Metric::worst_slice) return worst_relative_noise(slice_signal_, slice_noise_);
  if (metric == Metric::rel_l2) {  // over the whole data set, not a mean over samples
    double value = 0;
    for (std::size_t output = 0; output < energies_.size(); ++output) {
      value += weights_[output] * relative_noise(energies_[output]);
    }
    return value;
  }
  const double unseen = static_cast<double>(samples_ - seen_) * metric_info(metric).best;
  return (sums_.at(metric) + unseen) / static_cast<double>(samples_);
}

}  // namespace quantsearch
