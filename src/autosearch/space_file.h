#pragma once

// Reads the search space of a configuration file.

#include <optional>

#include "quantsearch/base/value.h"
#include "quantsearch/search/space.h"

namespace quantsearch {

/// Returns the space of `search_space` (a mapping or a list of mappings), or of `search_spaces` and
/// the `search_space_NAME` entries that it names; nullopt when the file has neither. Throws
/// InvalidInput and Unsupported as parse_search_config() does.
[[nodiscard]] std::optional<Space> space_from_file(const Value& file);

}  // namespace quantsearch
