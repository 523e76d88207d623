#include "evaluate/latency.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/stopwatch.h"

namespace quantsearch {

namespace {

// When minimum_runs would take more than this many times the requested seconds, fewer runs are
// made.
constexpr double kPatience = 10;
constexpr int kFewestRuns = 3;

double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - std::floor(place)) * (sorted[above] - sorted[below]);
}

void require_sensible(const LatencyOptions& options) {
  if (options.threads < 1)
    throw InvalidInput(fmt::format("latency: threads is {}, expected at least 1", options.threads));
  if (options.minimum_runs < 1 || options.warmup_runs < 0 || !(options.seconds >= 0)) {
    throw InvalidInput(fmt::format(
        "latency: {} warm-up runs, at least {} runs and {} seconds were asked, expected 0, 1 and "
        "0 or more",
        options.warmup_runs, options.minimum_runs, options.seconds));
  }
}

std::int64_t batch_of(const Batch& input) {
  for (const auto& [name, tensor] : input) {
    if (!tensor.shape().empty()) return tensor.shape()[0];
  }
  return 1;
}

}  // namespace

Latency summarize_times(std::vector<double> milliseconds) {
  std::ranges::sort(milliseconds);
  return {.median_ms = quantile(milliseconds, 0.5),
          .p10_ms = quantile(milliseconds, 0.1),
          .p90_ms = quantile(milliseconds, 0.9),
          .runs = static_cast<int>(milliseconds.size())};
}

bool has_run_enough(const LatencyOptions& options, double elapsed, int runs) {
  if (elapsed >= options.seconds && runs >= options.minimum_runs) return true;
  return elapsed >= kPatience * options.seconds &&
         runs >= std::min(kFewestRuns, options.minimum_runs);
}

Latency measure_latency(const Model& model, const Batch& input, const LatencyOptions& options) {
  require_sensible(options);
  const auto session = open_session(model, {.threads = options.threads, .device = options.device});
  for (int run = 0; run < options.warmup_runs; ++run) (void)session->run(input, options.token);

  std::vector<double> milliseconds;
  const Stopwatch all;
  do {
    const Stopwatch one;
    (void)session->run(input, options.token);
    milliseconds.push_back(1000 * one.seconds());
  } while (!has_run_enough(options, all.seconds(), static_cast<int>(milliseconds.size())));

  Latency latency = summarize_times(std::move(milliseconds));
  latency.threads = options.threads;
  latency.batch = batch_of(input);
  return latency;
}

}  // namespace quantsearch
