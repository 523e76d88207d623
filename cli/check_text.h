#pragma once

#include <cstddef>
#include <string>

#include "quantsearch/evaluate/delivery_check.h"

namespace quantsearch::cli {

/// Returns the noise of each output and the latencies as readable text.
[[nodiscard]] std::string check_text(const DeliveryCheck& check, std::size_t width);

}  // namespace quantsearch::cli
