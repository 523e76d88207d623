#pragma once

// Runs without the outputs that are not compared, and the checks on what a run gave for the others.

#include <span>
#include <string>
#include <vector>

#include "quantsearch/data.h"
#include "quantsearch/model.h"

namespace quantsearch {

/// The model without the named graph outputs, so that a run does not return them.
[[nodiscard]] Model without_outputs(Model model, std::span<const std::string> names);

/// Outputs that compared_outputs() leaves out.
[[nodiscard]] std::vector<std::string> skipped_outputs(const Model& model);

/// Throws InvalidInput unless every output of a run over several samples is that many rows long.
/// `stage` opens the message.
void require_rows(const Batch& outputs, std::int64_t count, const std::string& stage);
[[nodiscard]] bool are_rows(const Tensor& output, std::int64_t count);

}  // namespace quantsearch
