#pragma once

// The entries of Trial::details that order trials, read without the rest.

#include <cstdint>
#include <optional>

#include "quantsearch/base/value.h"
#include "quantsearch/search/trial_details.h"

namespace quantsearch {

/// nullopt when the details of a trial do not hold the number.
[[nodiscard]] std::optional<std::int64_t> float_layers_of(const Value& details);
[[nodiscard]] std::optional<std::int64_t> size_bytes_of(const Value& details);
[[nodiscard]] std::optional<std::int64_t> conversions_of(const Value& details);
[[nodiscard]] std::optional<LatencyRatio> latency_ratio_of(const Value& details);

}  // namespace quantsearch
