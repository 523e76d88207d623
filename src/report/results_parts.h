#pragma once

// Parts of results.json that the data of the report hold, too.

#include "quantsearch/report.h"

namespace quantsearch {

/// {raw, distinct, complete, filtered: {REASON: COUNT}}.
[[nodiscard]] Value to_value(const SpaceSummary& space);
/// {samples, float, scores: [{trial, score}]}.
[[nodiscard]] Value to_value(const Confirmation& confirmation);

}  // namespace quantsearch
