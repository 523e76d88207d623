#pragma once

// Where the repository lies, for tests that read its models and images.

#include <filesystem>

namespace quantsearch::testing {

inline const std::filesystem::path kSource = QUANTSEARCH_SOURCE_DIR;

}  // namespace quantsearch::testing
