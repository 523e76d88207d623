#pragma once

// Text for a terminal: lines that are broken at blanks, and tables.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "quantsearch/report.h"

namespace quantsearch {

/// Columns that a UTF-8 text takes on a terminal; a character takes one.
[[nodiscard]] std::size_t columns_of(std::string_view text);

/// The first line of a paragraph begins with `first`; the lines that are made by breaking another
/// one begin with `indent` blanks.
struct Paragraph {
  std::size_t width = kTextColumns;
  std::size_t indent = 0;
  std::string first = {};
};

/// Breaks the lines of `text` at blanks, so that no line is wider than the paragraph. A word that
/// is wider than a line is broken too. Each line ends with '\n'. Blanks within a line are kept.
[[nodiscard]] std::string wrapped(std::string_view text, const Paragraph& paragraph = {});

/// A table whose columns are as wide as their widest cell; the first and the last column are
/// aligned left, the others right. What does not fit in `width` continues under its last column;
/// when fewer than a third of the width are left for that column, on lines of its own.
[[nodiscard]] std::string text_table(const std::vector<std::vector<std::string>>& rows,
                                     std::size_t width = kTextColumns);

}  // namespace quantsearch
