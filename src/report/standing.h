#pragma once

// Where the trials of a document stand among each other.

#include <vector>

#include "quantsearch/report.h"

namespace quantsearch {

/// What the order of trials reads, of a result that was scored by the objective.
[[nodiscard]] Trial standing_of(const TrialResult& trial, const std::string& objective);

/// Complete trials: the one in best.onnx, which a confirmation may have chosen, then by TrialOrder.
[[nodiscard]] std::vector<const TrialResult*> best_first(const ResultsDocument& document);

}  // namespace quantsearch
