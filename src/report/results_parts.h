#pragma once

// Parts of results.json that the data of the report hold, too.

#include "quantsearch/report.h"

namespace quantsearch {

/// {raw, distinct, complete, filtered: {REASON: COUNT}}.
[[nodiscard]] Value to_value(const SpaceSummary& space);
/// {samples, float, scores: [{trial, score}]}.
[[nodiscard]] Value to_value(const Confirmation& confirmation);

/// The result of a trial with its objective among the scores.
[[nodiscard]] TrialResult scored_result(const Trial& trial, const std::string& objective);

}  // namespace quantsearch
