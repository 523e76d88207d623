#pragma once

// Builds the function that is maximised from observations and fitted hyper-parameters.

#include <span>
#include <vector>

#include "optimizers/gp/features.h"
#include "optimizers/gp/model.h"
#include "optimizers/gp/surrogate.h"
#include "quantsearch/base/random.h"
#include "quantsearch/optimizers.h"

namespace quantsearch::gp {

/// The references have to be valid only during the call.
struct Knowledge {
  std::vector<const Observation*> observations;  // not failed, at least one
  const FeatureMap& features;
  // One for each output; an output whose fit has no logarithms is left out.
  const std::vector<Fit>& fits;
  std::size_t objectives = 1;
  std::span<const Pending> pending;
};

struct BuiltSurrogate {
  Surrogate surrogate;
  /// With one objective: feasible observations before infeasible ones, then by their posterior
  /// means, because observed values may be noisy. With several: the front, in random order.
  std::vector<Coordinates> incumbents;
};
[[nodiscard]] BuiltSurrogate build_surrogate(const Knowledge& knowledge, RandomStream& random);

}  // namespace quantsearch::gp
