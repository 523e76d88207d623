#pragma once

// Hill climbing of an acquisition from one point (maximize.h).

#include "optimizers/gp/maximize.h"

namespace quantsearch::gp {

struct RatedPoint {
  Coordinates at;  // canonical, possibly visited
  double worth = 0;
};

/// The result is never worse than the start.
[[nodiscard]] RatedPoint climb(const Surrogate& surrogate, const Landscape& landscape,
                               RatedPoint start);

}  // namespace quantsearch::gp
