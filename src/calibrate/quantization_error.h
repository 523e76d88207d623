#pragma once

// The error that a scale and zero point cause in a tensor, computed from its density without a pass
// over the values.

#include "calibrate/density.h"

namespace quantsearch {

/// Mean of (x - x')^2 over all values, with x' = (clip(rne(x / s) + z) - z) s.
[[nodiscard]] double mean_squared_error(const Density& density, const ScaleZeroPoint& params,
                                        const IntegerLimits& limits);
/// Mean of |x - x'|.
[[nodiscard]] double mean_absolute_error(const Density& density, const ScaleZeroPoint& params,
                                         const IntegerLimits& limits);

}  // namespace quantsearch
