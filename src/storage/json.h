#pragma once

// JSON as Python writes it, with NaN, Infinity and -Infinity.

#include <string>
#include <string_view>

#include "quantsearch/base/value.h"

namespace quantsearch {

[[nodiscard]] std::string write_json(const Value& value);
/// Throws InvalidInput, naming `name`, for text that is not JSON.
[[nodiscard]] Value read_json(const std::string& text, const std::string& name);

}  // namespace quantsearch
