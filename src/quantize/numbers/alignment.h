#pragma once

// Implements AlignConcat, AlignPool and AlignPad for scales of any form: equal parameters where an
// accelerator moves or averages integers without rescaling them. npu_rules.h aligns powers of two.

#include "quantize/numbers/activations.h"
#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// Aligns the parameters. A tensor whose values, or whose parts, would have fewer than 16 steps
/// afterwards keeps its own parameters, and Activations::notes says so. Throws InvalidInput when an
/// override contradicts an alignment.
void align_parameters(const PlanView& view, Activations& activations);

}  // namespace quantsearch
