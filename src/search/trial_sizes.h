#pragma once

// The entries of Trial::details that break ties, read without the rest.

#include <cstdint>
#include <optional>

#include "quantsearch/base/value.h"

namespace quantsearch {

/// nullopt when the details of a trial do not hold the number.
[[nodiscard]] std::optional<std::int64_t> float_layers_of(const Value& details);
[[nodiscard]] std::optional<std::int64_t> size_bytes_of(const Value& details);

}  // namespace quantsearch
