#pragma once

// The operators of the delivered model, for results.json and the report (docs/report.md).

#include "autosearch/best_profile.h"
#include "autosearch/delivery.h"
#include "quantsearch/base/value.h"

namespace quantsearch {

/// One mapping for each node of the float model: what runs on integers and why, formats, ranges,
/// the values that calibration saw, and the time in the float model and in the best one. {left_out:
/// REASON} when the user has cancelled, when trials are isolated (this process then builds no
/// models), and when the model cannot be explained, which the log says.
[[nodiscard]] Value describe_layers(const Delivery& delivery, BestProfile& best);

}  // namespace quantsearch
