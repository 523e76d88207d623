#pragma once

// The manual page of the command.

#include <string>

#include "command_text.h"

namespace quantsearch::cli {

/// quantsearch(1) in the format of man: every command with its options and what help says of them.
[[nodiscard]] std::string man_page(const ProgramText& text);

}  // namespace quantsearch::cli
