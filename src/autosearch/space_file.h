#pragma once

// The search space as a configuration file writes it.

#include <optional>

#include "quantsearch/base/value.h"
#include "quantsearch/search/space.h"

namespace quantsearch {

/// From `search_space` (a mapping or a list of them), or from `search_spaces` and the
/// `search_space_NAME` they name. nullopt when the file has none. Throws InvalidInput and
/// Unsupported as parse_search_config does.
[[nodiscard]] std::optional<Space> space_from_file(const Value& file);

}  // namespace quantsearch
