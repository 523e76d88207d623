#pragma once

// Statistics of a handful of values, and the slow, obvious versions that the fast ones are compared
// with.

#include <algorithm>
#include <cmath>
#include <vector>

#include "quantsearch/base/random.h"
#include "quantsearch/calibrate.h"

namespace quantsearch::testing {

inline TensorStatistics statistics_of(const std::vector<float>& values, int bins = 2048) {
  TensorObserver observer(bins);
  observer.add(0, Tensor::of<float>({static_cast<std::int64_t>(values.size())}, values));
  return observer.statistics();
}

inline std::vector<float> normal_values(std::size_t count, std::uint64_t seed, double scale = 1) {
  RandomStream random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.normal() * scale);
  return values;
}

inline std::vector<float> after_relu(std::vector<float> values) {
  for (float& value : values) value = std::max(value, 0.0F);
  return values;
}

inline double quantized(double value, const ScaleZeroPoint& params, const IntegerLimits& limits) {
  const double integer = std::nearbyint(value / static_cast<double>(params.scale)) +
                         static_cast<double>(params.zero_point);
  const double clipped =
      std::clamp(integer, static_cast<double>(limits.low), static_cast<double>(limits.high));
  return (clipped - static_cast<double>(params.zero_point)) * static_cast<double>(params.scale);
}

struct Errors {
  double squared = 0;
  double absolute = 0;
};
inline Errors errors_of(const std::vector<float>& values, const ScaleZeroPoint& params,
                        const IntegerLimits& limits) {
  Errors errors;
  for (const float value : values) {
    const double difference =
        static_cast<double>(value) - quantized(static_cast<double>(value), params, limits);
    errors.squared += difference * difference / static_cast<double>(values.size());
    errors.absolute += std::abs(difference) / static_cast<double>(values.size());
  }
  return errors;
}

}  // namespace quantsearch::testing
