#pragma once

// From observations and fitted hyper-parameters to the function that is maximised.

#include <span>
#include <vector>

#include "optimizers/gp/features.h"
#include "optimizers/gp/model.h"
#include "optimizers/gp/surrogate.h"
#include "quantsearch/base/random.h"
#include "quantsearch/optimizers.h"

namespace quantsearch::gp {

/// Everything outlives the call only.
struct Knowledge {
  std::vector<const Observation*> observations;  // not failed, at least one
  const FeatureMap& features;
  const std::vector<Fit>& fits;  // of each output; one without logarithms is left out
  std::size_t objectives = 1;
  std::span<const Pending> pending;
};

struct BuiltSurrogate {
  Surrogate surrogate;
  /// Of one objective: feasible observations before infeasible ones, then by their posterior means
  /// (what was observed may be noise). Of several: the front, in random order.
  std::vector<Coordinates> incumbents;
};
[[nodiscard]] BuiltSurrogate build_surrogate(const Knowledge& knowledge, RandomStream& random);

}  // namespace quantsearch::gp
