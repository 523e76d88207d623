#pragma once

// Error messages for unknown names, which show the nearest known ones.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quantsearch {

/// Up to three of `known`, nearest first by Damerau-Levenshtein distance ignoring case. Names
/// further away than 2 and than a third of the length of `name` are left out. A known name that
/// contains `name` (of 3 characters or more) counts as at most 2 away.
[[nodiscard]] std::vector<std::string> nearest_names(std::string_view name,
                                                     std::span<const std::string> known);

/// "unknown WHAT 'NAME'; nearest known: 'a', 'b'" or, when nothing is near, "...; known: 'a', 'b',
/// 'c', ...".
[[nodiscard]] std::string unknown_name_message(std::string_view what, std::string_view name,
                                               std::span<const std::string> known);

/// "a, b and 3 more": the first `shown` of `names`.
[[nodiscard]] std::string some_of(std::span<const std::string> names, std::size_t shown);

}  // namespace quantsearch
