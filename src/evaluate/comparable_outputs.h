#pragma once

// Removes the outputs that are not compared, and checks the shapes that a run returns for the
// others.

#include <span>
#include <string>
#include <vector>

#include "quantsearch/data.h"
#include "quantsearch/model.h"

namespace quantsearch {

/// The model without the named graph outputs, so that a run does not return them.
[[nodiscard]] Model without_outputs(Model model, std::span<const std::string> names);

/// The outputs that are not among compared_outputs().
[[nodiscard]] std::vector<std::string> skipped_outputs(const Model& model);

/// Throws InvalidInput unless every output of a run over several samples has that many rows.
/// `stage` begins the message.
void require_rows(const Batch& outputs, std::int64_t count, const std::string& stage);
[[nodiscard]] bool are_rows(const Tensor& output, std::int64_t count);

}  // namespace quantsearch
