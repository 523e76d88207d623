#pragma once

// A space as it is searched: checked, and without choices that come out the same.

#include <cstdint>
#include <optional>

#include "quantsearch/search/space.h"

namespace quantsearch {

/// Names and values in canonical form, sample counts at most `samples` (where they are known), each
/// choice once. Throws InvalidInput or Unsupported for what is no option or no value of one.
[[nodiscard]] Space settled_space(const Space& space, std::optional<std::int64_t> samples);

}  // namespace quantsearch
