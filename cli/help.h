#pragma once

// The pages of --help: groups of options with their defaults, broken at the terminal's width.

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

namespace quantsearch::cli {

// Groups of options that several commands have.
inline constexpr const char* kInputGroup = "Input";
inline constexpr const char* kQuantizationGroup = "Quantization";  // as in the table of search keys
inline constexpr const char* kRunGroup = "Where it runs";
inline constexpr const char* kOutputGroup = "Output";
inline constexpr const char* kMessageGroup = "Messages";
inline constexpr const char* kProgramGroup = "Options";  // of the program itself
inline constexpr const char* kHidden = "";

/// The formatter of the program and of its commands.
[[nodiscard]] std::shared_ptr<CLI::FormatterBase> help_formatter();

/// Says on standard error which of the given options the chosen command takes without using them.
void warn_of_unused(const CLI::App& app);

/// The first letter of a sentence is a capital, unless it belongs to a name such as grid_search.
[[nodiscard]] std::string sentence(std::string text);

}  // namespace quantsearch::cli
