#pragma once

// Turns inputs into constants before any other stage: a sampling rate, a switch that selects a
// branch.

#include <map>
#include <string>

#include "quantsearch/base/value.h"
#include "quantsearch/model.h"

namespace quantsearch {

/// Values of inputs by name: a number, truth value or text, or nested lists of them.
using FixedInputs = std::map<std::string, Value>;

/// Returns the model without these inputs; it computes what `model` computes with these values. A
/// single value fills an input of fixed size. Throws InvalidInput for an unknown input (nearest
/// known shown) and for a value that does not fit its type or shape, Unsupported for an input that
/// is not a tensor of numbers, booleans or text.
[[nodiscard]] Model fix_inputs(Model model, const FixedInputs& fixed);

}  // namespace quantsearch
