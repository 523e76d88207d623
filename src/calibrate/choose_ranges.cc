#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "calibrate/range_methods.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/calibrate/range_rule.h"

namespace quantsearch {

bool range_is_symmetric(const RangeOptions& options) {
  if (options.symmetric_range) return *options.symmetric_range;
  switch (options.method) {
    case RangeMethod::percentile:
    case RangeMethod::layer_wise_percentile:
      return true;
    case RangeMethod::power_of_two_non_overflow:
    case RangeMethod::power_of_two_min_mse:
      return options.symmetric_quantization;
    case RangeMethod::min_max:
    case RangeMethod::entropy:
    case RangeMethod::min_mse:
      return false;
  }
  throw InternalError("choose ranges: unknown method");
}

namespace {

void require_percentile(double percentile) {
  if (!(percentile > 0 && percentile <= 100)) {
    throw InvalidInput(fmt::format(
        "choose ranges: percentile is {}, expected above 0 and at most 100", percentile));
  }
}

void require_type(const RangeOptions& options) {
  if (options.type == DataType::int8 || options.type == DataType::uint8 ||
      options.type == DataType::int16 || options.type == DataType::uint16) {
    return;
  }
  throw InvalidInput(
      fmt::format("choose ranges: method {} for type {}, expected int8, uint8, int16 or uint16",
                  to_string(options.method), to_string(options.type)));
}

void check(const RangeOptions& options) {
  switch (options.method) {
    case RangeMethod::min_max:
      if (options.moving_average &&
          !(options.moving_average_constant > 0 && options.moving_average_constant <= 1)) {
        throw InvalidInput(fmt::format(
            "choose ranges: moving-average constant is {}, expected above 0 and at most 1",
            options.moving_average_constant));
      }
      return;
    case RangeMethod::percentile:
      return require_percentile(options.percentile);
    case RangeMethod::layer_wise_percentile:
      for (const double candidate : options.percentile_candidates) require_percentile(candidate);
      return require_type(options);
    case RangeMethod::entropy:
      if (options.quantized_bins && *options.quantized_bins < 2) {
        throw InvalidInput(fmt::format("choose ranges: quantized bins is {}, expected at least 2",
                                       *options.quantized_bins));
      }
      return require_type(options);
    case RangeMethod::min_mse:
    case RangeMethod::power_of_two_non_overflow:
    case RangeMethod::power_of_two_min_mse:
      return require_type(options);
  }
}

void check_fits(const TensorStatistics& statistics, const RangeOptions& options) {
  const auto bins = static_cast<int>(statistics.histogram.positive.size());
  if (options.method == RangeMethod::entropy && options.quantized_bins.value_or(0) > bins) {
    throw InvalidInput(fmt::format(
        "choose ranges: quantized bins is {}, expected at most the {} bins of the histogram",
        *options.quantized_bins, bins));
  }
}

Range range_of(const TensorStatistics& statistics, const RangeOptions& options) {
  switch (options.method) {
    case RangeMethod::min_max:
      return min_max_range(statistics, options);
    case RangeMethod::percentile:
      return percentile_range(statistics, options.percentile, range_is_symmetric(options));
    case RangeMethod::entropy:
      return entropy_range(statistics, options);
    case RangeMethod::layer_wise_percentile:
      return layer_wise_percentile_range(statistics, options, range_is_symmetric(options));
    case RangeMethod::min_mse:
      return min_mse_range(statistics, options);
    case RangeMethod::power_of_two_non_overflow:
      return {.low = statistics.min, .high = statistics.max};
    case RangeMethod::power_of_two_min_mse:
      return power_of_two_min_mse_range(statistics, options);
  }
  throw InternalError("choose ranges: unknown method");
}

/// The percentile methods use the symmetric distribution of |x| themselves and then clamp the range
/// to the observed values.
bool is_widened_afterwards(const RangeOptions& options) {
  return range_is_symmetric(options) && options.method != RangeMethod::percentile &&
         options.method != RangeMethod::layer_wise_percentile;
}

/// One range to compute.
struct Task {
  std::string tensor;
  const TensorStatistics* statistics = nullptr;
  RangeOptions options;
};

RangeOptions options_of(const RangeOptions& options, const TensorRangeOptions& tensor) {
  RangeOptions result = options;
  result.tensors.clear();
  if (!reads_integer_type(options.method)) return result;
  result.type = tensor.type.value_or(options.type);
  result.symmetric_quantization =
      tensor.symmetric_quantization.value_or(options.symmetric_quantization);
  result.reduce_range = tensor.reduce_range.value_or(options.reduce_range);
  return result;
}

std::vector<Task> tasks_of(const Statistics& statistics, const RangeOptions& options) {
  std::vector<Task> tasks;
  const auto add = [&](const std::string& tensor, const std::string& values,
                       const TensorRangeOptions& own) {
    const auto found = statistics.tensors.find(values);
    if (found == statistics.tensors.end() || found->second.count == 0) return;
    tasks.push_back(
        {.tensor = tensor, .statistics = &found->second, .options = options_of(options, own)});
  };
  for (const auto& [tensor, values] : statistics.tensors) {
    if (!options.tensors.contains(tensor)) add(tensor, tensor, {});
  }
  for (const auto& [tensor, own] : options.tensors) {
    add(tensor, own.statistics_of.empty() ? tensor : own.statistics_of, own);
  }
  return tasks;
}

}  // namespace

Range symmetric(const Range& range) {
  const double largest = std::max(std::abs(range.low), std::abs(range.high));
  return {.low = -largest, .high = largest};
}

Range clamped_to_observed(const Range& range, const TensorStatistics& statistics) {
  const double low = statistics.min;
  const double high = statistics.max;
  return {.low = std::clamp(range.low, low, high), .high = std::clamp(range.high, low, high)};
}

Range min_max_range(const TensorStatistics& statistics, const RangeOptions& options) {
  if (!options.moving_average) return {.low = statistics.min, .high = statistics.max};
  Range range{.low = statistics.sample_min.front(), .high = statistics.sample_max.front()};
  for (std::size_t sample = 1; sample < statistics.sample_min.size(); ++sample) {
    range.low += options.moving_average_constant * (statistics.sample_min[sample] - range.low);
    range.high += options.moving_average_constant * (statistics.sample_max[sample] - range.high);
  }
  return range;
}

Range choose_range(const TensorStatistics& statistics, const RangeOptions& options) {
  check(options);
  if (statistics.count == 0) {
    throw InvalidInput("choose ranges: a tensor without finite values, expected at least one");
  }
  check_fits(statistics, options);
  const Range range = range_of(statistics, options);
  return is_widened_afterwards(options) ? symmetric(range) : range;
}

Ranges choose_ranges(const Statistics& statistics, const RangeOptions& options, ThreadPool& pool) {
  check(options);
  const std::vector<Task> tasks = tasks_of(statistics, options);
  std::vector<Range> found(tasks.size());
  pool.parallel_for(static_cast<std::int64_t>(tasks.size()), [&](std::int64_t task, int) {
    const auto at = static_cast<std::size_t>(task);
    found[at] = choose_range(*tasks[at].statistics, tasks[at].options);
  });
  Ranges ranges;
  for (std::size_t task = 0; task < tasks.size(); ++task)
    ranges.emplace(tasks[task].tensor, found[task]);
  return ranges;
}

}  // namespace quantsearch
