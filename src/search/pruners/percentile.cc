#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <vector>

#include "quantsearch/base/error.h"
#include "quantsearch/search/pruners.h"

namespace quantsearch {

namespace {

void check(const PercentileOptions& options) {
  if (!(options.percentile >= 0 && options.percentile <= 100))
    throw InvalidInput(fmt::format("percentile pruner: got the percentile {}, expected 0 to 100",
                                   options.percentile));
  if (options.startup_trials < 0 || options.warmup_steps < 0 || options.interval_steps < 1 ||
      options.least_trials < 1)
    throw InvalidInput(fmt::format(
        "percentile pruner: got {} startup trials, {} warmup steps, an interval of {} and at least "
        "{} trials, expected 0, 0, 1 and 1 or more",
        options.startup_trials, options.warmup_steps, options.interval_steps,
        options.least_trials));
}

/// Only the first report in each interval is looked at.
bool is_first_in_interval(const Reports& running, const PercentileOptions& options) {
  const auto last = std::prev(running.end());
  if (last->first < options.warmup_steps) return false;
  const std::int64_t before = last == running.begin() ? -1 : std::prev(last)->first;
  const std::int64_t intervals = (last->first - options.warmup_steps) / options.interval_steps;
  return before < intervals * options.interval_steps + options.warmup_steps;
}

/// NaN when all are.
double best_of(const Reports& reports) {
  double best = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [step, value] : reports)
    if (!(value >= best)) best = std::isnan(value) ? best : value;
  return best;
}

double percentile_of(std::vector<double> values, double percentile) {
  std::ranges::sort(values);
  const double place = percentile / 100 * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

}  // namespace

bool percentile_prunes(const Reports& running, std::span<const Reports> complete,
                       const PercentileOptions& options) {
  check(options);
  if (running.empty() || complete.empty() || std::ssize(complete) < options.startup_trials)
    return false;
  if (!is_first_in_interval(running, options)) return false;
  const double best = best_of(running);
  if (std::isnan(best)) return true;
  std::int64_t reported = 0;
  std::vector<double> values;
  for (const Reports& other : complete) {
    const auto there = other.find(running.rbegin()->first);
    if (there == other.end()) continue;
    ++reported;
    if (!std::isnan(there->second)) values.push_back(there->second);
  }
  if (reported < options.least_trials || values.empty()) return false;
  return best > percentile_of(std::move(values), options.percentile);
}

}  // namespace quantsearch
