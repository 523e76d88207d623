#pragma once

// What a user may do about a best model that is not faster than the float model, from what the
// search has measured.

#include <string>

#include "quantsearch/report.h"

namespace quantsearch {

/// Why the model is not faster than float.
[[nodiscard]] std::string cost_of_integers(const ResultsDocument& document,
                                           const TrialResult& best);
/// Why no model within the tolerance is faster, when the fastest was asked for: "; ..."; else "".
[[nodiscard]] std::string why_not_faster(const ResultsDocument& document, const TrialResult& best);

/// "; ..." when the activations have a type without integer kernels on ONNX Runtime's CPU provider
/// and no trial shows that another type is not faster; else "".
[[nodiscard]] std::string type_advice(const ResultsDocument& document, const TrialResult& best);

}  // namespace quantsearch
