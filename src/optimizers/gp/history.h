#pragma once

// Converts observations to the outputs of Gaussian processes, and plans when hyper-parameters are
// fitted again.

#include <cstdint>
#include <vector>

#include "optimizers/gp/features.h"
#include "optimizers/gp/model.h"
#include "quantsearch/optimizers.h"

namespace quantsearch::gp {

/// Returns the first `count` observations or, when they are many, the best and the newest of them,
/// in their order.
[[nodiscard]] std::vector<const Observation*> relevant(const std::vector<Observation>& observations,
                                                       std::size_t count);

/// Returns the largest number of constraints of any observation.
[[nodiscard]] std::size_t constraint_count(const std::vector<Observation>& observations);

/// Returns output `output` (objectives first) of the observations that have it.
[[nodiscard]] Series series_of(const std::vector<const Observation*>& observations,
                               const FeatureMap& features, std::size_t objectives,
                               std::size_t output);

[[nodiscard]] bool is_feasible(const Observation& observation);

/// A number of observations at which hyper-parameters are fitted: every one while there are few,
/// then every few percent. `from_scratch` is true when the number has doubled, so that a process
/// that joins with many observations has to repeat only the fits since then, and no fit stays at an
/// early optimum.
struct FitPoint {
  std::size_t observations = 0;
  bool from_scratch = false;
};
[[nodiscard]] std::vector<FitPoint> fit_points(std::size_t first, std::size_t observations);

}  // namespace quantsearch::gp
