#include "evaluate/comparable_outputs.h"

#include <fmt/core.h>

#include <algorithm>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/model/compared_outputs.h"

namespace quantsearch {

Model without_outputs(Model model, std::span<const std::string> names) {
  std::erase_if(model.graph.outputs, [&](const ValueInfo& output) {
    return std::find(names.begin(), names.end(), output.name) != names.end();
  });
  return model;
}

bool are_rows(const Tensor& output, std::int64_t count) {
  return count == 1 || (!output.shape().empty() && output.shape()[0] == count);
}

void require_rows(const Batch& outputs, std::int64_t count, const std::string& stage) {
  for (const auto& [name, tensor] : outputs) {
    if (!are_rows(tensor, count)) {
      throw InvalidInput(fmt::format(
          "{}: output '{}' has shape {} for a batch of {} samples, expected a first axis of {}; "
          "use a batch of 1",
          stage, name, to_string(tensor.shape()), count, count));
    }
  }
}

std::vector<std::string> skipped_outputs(const Model& model) {
  std::vector<std::string> names;
  for (const SkippedOutput& output : compared_outputs(model).skipped) names.push_back(output.name);
  return names;
}

}  // namespace quantsearch
