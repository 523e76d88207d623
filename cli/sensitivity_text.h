#pragma once

#include <string>

#include "quantsearch/precision/sensitivity.h"

namespace quantsearch::cli {

/// Returns the tables of layers and patterns, and the lines of a configuration that leave the worst
/// layers float or give them 16 bits. `top`: the most layers that are shown and named.
[[nodiscard]] std::string sensitivity_text(const SensitivityReport& report, std::size_t top,
                                           std::size_t width);

}  // namespace quantsearch::cli
