#pragma once

#include "quantsearch/calibrate.h"

namespace quantsearch {

/// True when these options make a range symmetric: they say so, or it is how the method works.
[[nodiscard]] bool range_is_symmetric(const RangeOptions& options);

}  // namespace quantsearch
