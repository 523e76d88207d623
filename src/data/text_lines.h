#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace quantsearch {

/// The lines of a text file without blanks at their ends; empty ones are left out. Throws as
/// read_file() does.
[[nodiscard]] std::vector<std::string> text_lines(const std::filesystem::path& file);
/// Without blanks, tabs and carriage returns at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

}  // namespace quantsearch
