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

/// "7 candidates"; "at least 7 candidates" of a document that lists a part of the trials.
[[nodiscard]] std::string candidates_text(const ResultsDocument& document);

/// "10,123 of 1,000,000 trials are listed: ...", of a document that lists a part.
[[nodiscard]] std::string listed_part(const ResultsDocument& document);

}  // namespace quantsearch
