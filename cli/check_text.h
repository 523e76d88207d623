#pragma once

#include <string>

#include "quantsearch/base/value.h"
#include "quantsearch/evaluate/delivery_check.h"

namespace quantsearch::cli {

/// Noise of each output and the latencies, for people.
[[nodiscard]] std::string check_text(const DeliveryCheck& check);
/// The same for programs.
[[nodiscard]] Value check_value(const DeliveryCheck& check);

}  // namespace quantsearch::cli
