#pragma once

// A distance to the float model always prefers 16-bit types to 8-bit ones. The user is warned
// before a search that would rank both by such a distance.

#include <optional>
#include <string>

#include "quantsearch/autosearch.h"
#include "quantsearch/internal/trials/acceptance.h"

namespace quantsearch {

/// Returns the warning; nullopt when the space contains one width of each type, or when the
/// objective (top1, top5 or a user's score) does not reward width as such.
[[nodiscard]] std::optional<std::string> mixed_widths_warning(const ObjectiveName& objective,
                                                              const Settings& base,
                                                              const Space& space);

}  // namespace quantsearch
