#pragma once

// Runs an optimizer with several workers in simulated time: trials take random durations, so that
// they finish in another order than they began, and each worker asks for its next trial as soon as
// its last one has been told. The run depends on the seed alone.

#include <cstdint>
#include <string>
#include <vector>

#include "problems.h"

namespace quantsearch {

struct AsyncRun {
  std::string optimizer;  // name and options, as make_optimizer() takes them
  int workers = 1;
  std::int64_t trials = 200;
  int seed = 0;
};
/// Returns the best value so far after each finished trial. Throws InternalError when the optimizer
/// proposes nothing.
[[nodiscard]] std::vector<double> best_so_far(const Problem& problem, const AsyncRun& run);

/// Returns best_so_far() for `seeds` seeds from run.seed on. The result does not depend on
/// `threads`.
[[nodiscard]] std::vector<std::vector<double>> best_of_seeds(const Problem& problem,
                                                             const AsyncRun& run, int seeds,
                                                             int threads);

/// Returns the quantile of the best value after `trials` trials, interpolated; NaN when the runs
/// were shorter.
[[nodiscard]] double quantile_at(const std::vector<std::vector<double>>& runs, std::size_t trials,
                                 double quantile);

/// Returns the problem of that name; throws InvalidInput when there is none.
[[nodiscard]] Problem problem_named(const std::string& name);

}  // namespace quantsearch
