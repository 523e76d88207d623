#pragma once

// The best point of an acquisition over a mixed domain that may be proposed. A domain whose points
// are listed is searched whole; any other by samples, some of them near the best observations, and
// by climbing from the best samples: gradient steps in the numeric dimensions, exchanges of one
// value in the stepped and categorical ones, in turn.

#include <optional>
#include <span>

#include "optimizers/gp/features.h"
#include "optimizers/gp/surrogate.h"
#include "optimizers/gp/trust_region.h"
#include "optimizers/visited.h"

namespace quantsearch::gp {

/// What is searched; all outlive the search.
struct Landscape {
  const Domain& domain;
  const std::vector<Axis>& axes;
  const FeatureMap& features;
  const Visited& visited;
  std::span<const Pending> pending;
  std::vector<Coordinates> incumbents;  // best observations first; samples are drawn near them
  std::optional<TrustRegion> region;    // absent: the whole domain
};

/// nullopt when no sampled point may be proposed.
[[nodiscard]] std::optional<Coordinates> maximize(const Surrogate& surrogate,
                                                  const Landscape& landscape, RandomStream& random);

}  // namespace quantsearch::gp
