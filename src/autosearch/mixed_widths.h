#pragma once

// A distance to the float model always prefers 16-bit types to 8-bit ones. Said before a search
// that is about to rank both by such a distance.

#include <optional>
#include <string>

#include "quantsearch/autosearch.h"
#include "quantsearch/trials/acceptance.h"

namespace quantsearch {

/// What to tell the user, or nullopt when the space holds one width of each type or when the
/// objective (top1, top5, a score of the user's) does not reward width for its own sake.
[[nodiscard]] std::optional<std::string> mixed_widths_warning(const ObjectiveName& objective,
                                                              const Settings& base,
                                                              const Space& space);

}  // namespace quantsearch
