#include "optimizers/gp/trust_region.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "optimizers/gp/history.h"

namespace quantsearch::gp {

namespace {

constexpr double kFirst = 0.8;
// Below this it restarts at kFirst, because little is left to find here.
constexpr double kLeast = 1.0 / 256;
// Covers the whole axis unless the centre is near an end.
constexpr double kGreatest = 1.6;
constexpr int kSuccesses = 3;               // number in a row that doubles the width
constexpr double kLeastImprovement = 1e-3;  // relative to the best value, for a success

}  // namespace

double trust_width(const std::vector<Observation>& observations, std::size_t startup,
                   std::size_t dimensions, std::size_t pending) {
  // Half of the trials come from outside the region and rarely succeed. The results of trials that
  // run at the same time come from regions that knew none of each other's results.
  const int patience = static_cast<int>(std::max<std::size_t>(4, dimensions) + pending);
  double best = std::numeric_limits<double>::infinity();
  double width = kFirst;
  int successes = 0;
  int failures = 0;
  for (std::size_t i = 0; i < observations.size(); ++i) {
    const double value = observations[i].objectives[0];
    const bool counts =
        observations[i].outcome == Outcome::complete && is_feasible(observations[i]);
    const bool is_success = counts && !(value > best - kLeastImprovement * std::abs(best));
    if (counts) best = std::min(best, value);
    if (i < startup) continue;
    successes = is_success ? successes + 1 : 0;
    failures = is_success ? 0 : failures + 1;
    if (successes == kSuccesses) {
      width = std::min(kGreatest, 2 * width);
      successes = 0;
    }
    if (failures == patience) {
      width /= 2;
      failures = 0;
    }
    if (width < kLeast) width = kFirst;
  }
  return width;
}

}  // namespace quantsearch::gp
