#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "quantsearch/base/error.h"
#include "quantsearch/search/pruners.h"

namespace quantsearch {

namespace {

void check(const HalvingOptions& options) {
  if (options.least_resource >= 1 && options.reduction_factor >= 2 &&
      options.least_early_stopping_rate >= 0 && options.bootstrap >= 0)
    return;
  throw InvalidInput(
      fmt::format("successive halving: got a least resource of {}, a factor of {}, a rate of {} "
                  "and a bootstrap "
                  "of {}, expected at least 1, 2, 0 and 0",
                  options.least_resource, options.reduction_factor,
                  options.least_early_stopping_rate, options.bootstrap));
}

double step_of_rung(std::size_t rung, const HalvingOptions& options) {
  return static_cast<double>(options.least_resource) *
         std::pow(
             static_cast<double>(options.reduction_factor),
             static_cast<double>(options.least_early_stopping_rate) + static_cast<double>(rung));
}

/// Values at a rung, best first.
std::vector<double> values_at(std::size_t rung, double own, std::span<const Rungs> others) {
  std::vector<double> values = {own};
  for (const Rungs& other : others)
    if (other.size() > rung) values.push_back(other[rung]);
  std::ranges::sort(values);
  return values;
}

}  // namespace

HalvingDecision successive_halving(const Reports& running, const Rungs& completed,
                                   std::span<const Rungs> others, const HalvingOptions& options) {
  check(options);
  HalvingDecision decision{.rungs = completed};
  if (running.empty()) return decision;
  const auto& [step, value] = *running.rbegin();
  while (static_cast<double>(step) >= step_of_rung(decision.rungs.size(), options)) {
    decision.prune = true;
    if (std::isnan(value)) return decision;
    const std::size_t rung = decision.rungs.size();
    decision.rungs.push_back(value);
    const std::vector<double> values = values_at(rung, value, others);
    if (std::ssize(values) <= options.bootstrap) return decision;
    // Fewer than `factor` came: only the best of them goes on.
    const std::int64_t promoted =
        std::max<std::int64_t>(std::ssize(values) / options.reduction_factor, 1);
    if (value > values[static_cast<std::size_t>(promoted - 1)]) return decision;
    decision.prune = false;
  }
  return decision;
}

}  // namespace quantsearch
