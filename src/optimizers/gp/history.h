#pragma once

// Observations as the outputs of Gaussian processes see them, and when their hyper-parameters are
// fitted again.

#include <cstdint>
#include <vector>

#include "optimizers/gp/features.h"
#include "optimizers/gp/model.h"
#include "quantsearch/optimizers.h"

namespace quantsearch::gp {

/// The first `count` observations or, of many, the best and the newest of them, in their order.
[[nodiscard]] std::vector<const Observation*> relevant(const std::vector<Observation>& observations,
                                                       std::size_t count);

/// Most constraints that an observation has.
[[nodiscard]] std::size_t constraint_count(const std::vector<Observation>& observations);

/// Output `output` (objectives first) of those observations that have it.
[[nodiscard]] Series series_of(const std::vector<const Observation*>& observations,
                               const FeatureMap& features, std::size_t objectives,
                               std::size_t output);

[[nodiscard]] bool is_feasible(const Observation& observation);

/// Numbers of observations at which hyper-parameters are fitted: at each while there are few, then
/// each few percent; `from_scratch` when they have doubled, so that whoever comes in with many
/// observations has only the fits since then to repeat, and no fit is stuck at an early optimum.
struct FitPoint {
  std::size_t observations = 0;
  bool from_scratch = false;
};
[[nodiscard]] std::vector<FitPoint> fit_points(std::size_t first, std::size_t observations);

}  // namespace quantsearch::gp
