#pragma once

// The space that is searched: checked, and without choices that have the same effect.

#include <cstdint>
#include <optional>

#include "quantsearch/search/space.h"

namespace quantsearch {

/// Returns the space with names and values in canonical form, sample counts limited to `samples`
/// (if known), and each choice once. Throws InvalidInput or Unsupported for an invalid option or
/// value.
[[nodiscard]] Space settled_space(const Space& space, std::optional<std::int64_t> samples);

}  // namespace quantsearch
