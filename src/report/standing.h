#pragma once

// The order of the trials of a document.

#include <vector>

#include "quantsearch/report.h"

namespace quantsearch {

/// The fields that the order of trials reads, from a result that was scored by the objective.
[[nodiscard]] Trial standing_of(const TrialResult& trial, const std::string& objective);

/// Complete trials: first the one in best.onnx, which a confirmation may have chosen, then the
/// others by TrialOrder.
[[nodiscard]] std::vector<const TrialResult*> best_first(const ResultsDocument& document);

}  // namespace quantsearch
