#pragma once

// Completions of the command line for shells.

#include <string>

#include "command_text.h"

namespace quantsearch::cli {

/// `shell`: "bash", "zsh" or "fish". Throws InvalidInput for another one.
[[nodiscard]] std::string completions(const ProgramText& text, const std::string& shell);

}  // namespace quantsearch::cli
