#pragma once

// Class indices from an integer array.

#include <cstdint>
#include <string>

#include "data/stored_array.h"
#include "quantsearch/data.h"

namespace quantsearch {

/// Reads an array [samples] or [samples, 1]. Throws InvalidInput unless it holds `expected` numbers
/// that are integers and at least 0.
[[nodiscard]] Labels read_labels(const StoredArray& array, const std::string& description,
                                 std::int64_t expected);

}  // namespace quantsearch
