#pragma once

// Hill climbing of an acquisition from one point (maximize.h).

#include "optimizers/gp/maximize.h"

namespace quantsearch::gp {

struct RatedPoint {
  Coordinates at;  // canonical, perhaps visited
  double worth = 0;
};

/// Never below where it started.
[[nodiscard]] RatedPoint climb(const Surrogate& surrogate, const Landscape& landscape,
                               RatedPoint start);

}  // namespace quantsearch::gp
