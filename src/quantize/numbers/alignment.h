#pragma once

// AlignConcat, AlignPool, AlignPad for scales of any form: equal parameters where an accelerator
// moves or averages integers without rescaling them. Powers of two are aligned by npu_rules.h.

#include "quantize/numbers/activations.h"
#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// A tensor whose values, or whose parts, would be left with fewer than 16 steps keeps its own
/// parameters, and Activations::notes says so. Throws InvalidInput when an override stands in the
/// way.
void align_parameters(const PlanView& view, Activations& activations);

}  // namespace quantsearch
