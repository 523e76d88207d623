#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "transform/pass.h"

namespace quantsearch {

PassResult plain_initializers(Model model) {
  const GraphIndex index(model.graph);
  const auto has_default = [&index](const ValueInfo& input) {
    return index.initializer(input.name) != nullptr;
  };
  const auto defaults = std::ranges::count_if(model.graph.inputs, has_default);
  if (defaults == 0) return {std::move(model), {}};
  if (defaults == std::ssize(model.graph.inputs)) {
    return {std::move(model), {"every input has a default, so none is taken for a weight"}};
  }
  PassResult result;
  for (const ValueInfo& input : model.graph.inputs) {
    if (has_default(input)) {
      result.notes.push_back(
          fmt::format("input '{}' is now the constant it had as default", input.name));
    }
  }
  std::erase_if(model.graph.inputs, has_default);
  model.ir_version = std::max(model.ir_version, kIrVersionOfFreeInitializers);
  result.model = std::move(model);
  return result;
}

}  // namespace quantsearch
