#pragma once

// Memory of a call.

#include <cstdint>
#include <string>

#include "quantsearch/base/byte_budget.h"

namespace quantsearch::python {

/// Half of the memory of the machine unless `text` ("2G") says otherwise, as for the command.
[[nodiscard]] inline std::int64_t memory_bytes(const std::string& text) {
  return text.empty() ? physical_memory_bytes() / 2 : parse_size(text);
}

}  // namespace quantsearch::python
