#pragma once

// Finds the best point of an acquisition over a mixed domain that may be proposed. A domain whose
// points are listed is searched exhaustively. Any other domain is searched by samples, some of them
// near the best observations, and by climbing from the best samples. A climb alternates gradient
// steps in the numeric dimensions with exchanges of one value in the stepped and categorical ones.

#include <optional>
#include <span>

#include "optimizers/gp/features.h"
#include "optimizers/gp/surrogate.h"
#include "optimizers/gp/trust_region.h"
#include "optimizers/visited.h"

namespace quantsearch::gp {

/// The domain that is searched. The references must outlive the search.
struct Landscape {
  const Domain& domain;
  const std::vector<Axis>& axes;
  const FeatureMap& features;
  const Visited& visited;
  std::span<const Pending> pending;
  // Best observations first; local samples are drawn near them.
  std::vector<Coordinates> incumbents;
  std::optional<TrustRegion> region;  // absent: the whole domain
};

/// Returns nullopt when no sampled point may be proposed.
[[nodiscard]] std::optional<Coordinates> maximize(const Surrogate& surrogate,
                                                  const Landscape& landscape, RandomStream& random);

}  // namespace quantsearch::gp
