#pragma once

// Labels in a text file that names the samples.

#include <filesystem>
#include <string>
#include <vector>

#include "quantsearch/data.h"

namespace quantsearch {

/// True for .csv and .txt.
[[nodiscard]] bool is_label_text(const std::filesystem::path& file);

/// Reads lines of a name and a class index, apart by a comma, a tab or blanks; a first line without
/// an index is a heading. A name is that of a sample or only the name of its file. Throws
/// InvalidInput for a wrong line and for a sample that no line names.
[[nodiscard]] Labels read_named_labels(const std::filesystem::path& file,
                                       const DataSource& samples);

}  // namespace quantsearch
