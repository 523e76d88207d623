#pragma once

// Made-up keys of a model and of its data for tests of the stages' keys.

#include "quantsearch/base/hash.h"

namespace quantsearch::testing {

inline constexpr Key kModel{1, 2};
inline constexpr Key kData{3, 4};

}  // namespace quantsearch::testing
