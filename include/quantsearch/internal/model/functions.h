#pragma once

// Functions that a model defines itself, as exporters write them for modules: a node calls one as
// if it were an operator. Elsewhere they are kept as they are.

#include <string>
#include <vector>

#include "quantsearch/model.h"

namespace quantsearch {

/// "pkg.Linear" for each function that the model defines.
[[nodiscard]] std::vector<std::string> functions_of(const Model& model);

/// Replaces calls by what the functions compute, in bodies too. A function of another opset than
/// the model's stays. Throws InvalidInput when libonnx cannot do it.
[[nodiscard]] Model inline_functions(const Model& model);

}  // namespace quantsearch
