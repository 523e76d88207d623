#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace quantsearch::cli {

/// The columns of the terminal behind a file descriptor: COLUMNS where the user has set it, else
/// what the terminal says, and 80 where there is none.
[[nodiscard]] std::size_t columns_at(int descriptor);

/// Writes text for people to standard output, broken at its width. The lines after the first of a
/// paragraph begin with `indent` blanks.
void print_wrapped(std::string_view text, std::size_t indent = 2);

/// Writes a message to standard error. On a terminal it is broken at its width; otherwise it is one
/// line, so that programs can search for it.
void print_message(std::string_view message);

}  // namespace quantsearch::cli
