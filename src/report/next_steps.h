#pragma once

// What the user of a search may do next.

#include <string>
#include <vector>

#include "quantsearch/report.h"

namespace quantsearch {

/// Sentences, the most important first; at least one.
[[nodiscard]] std::vector<std::string> next_steps(const ResultsDocument& document);

}  // namespace quantsearch
