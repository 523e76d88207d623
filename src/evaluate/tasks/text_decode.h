#pragma once

// Texts from the outputs of recognizers that were trained with CTC (Graves et al. 2006,
// "Connectionist Temporal Classification"), and the distance between texts.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quantsearch {

/// Code points of a text or, without a charset, class indices.
using Symbols = std::vector<std::int32_t>;

/// The best path: repeated classes count once, and blanks are dropped.
[[nodiscard]] std::vector<std::int64_t> collapse(std::span<const std::int64_t> path,
                                                 std::int64_t blank);

/// The smallest number of insertions, deletions and substitutions (Levenshtein 1966).
[[nodiscard]] std::int64_t edit_distance(std::span<const std::int32_t> a,
                                         std::span<const std::int32_t> b);

/// Code points of UTF-8; a byte that is not part of a valid sequence stands for itself.
[[nodiscard]] Symbols code_points(std::string_view text);

/// The lines of a text without their ends. The end of the last line is optional.
[[nodiscard]] std::vector<std::string> lines_of(std::string_view text);

/// The text of each class. `lines`: one for each class, or one for each class but the blank, or
/// that without the space, which is then the last class.
/// Returns an empty list when the number of lines fits none of these.
[[nodiscard]] std::vector<Symbols> characters_of(const std::vector<std::string>& lines,
                                                 std::int64_t classes, std::int64_t blank);

}  // namespace quantsearch
