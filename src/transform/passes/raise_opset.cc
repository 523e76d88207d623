#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "transform/pass.h"

namespace quantsearch {

PassResult raise_opset(Model model, std::int64_t version) {
  const std::int64_t before = model.opset();
  if (before == 0) return {std::move(model), {"the model imports no ai.onnx operators"}};
  if (before >= version) return {std::move(model), {}};
  const auto is_own = [](const Node& node) { return node.domain.empty(); };
  if (std::ranges::none_of(model.graph.nodes, is_own))
    return {std::move(model), {"the model has no ai.onnx operators"}};
  Model raised = convert_opset(std::move(model), version);
  // An IR version older than the opset's would forbid initializers that are not graph inputs.
  raised.ir_version = std::max(raised.ir_version, ir_version_for_opset(version));
  return {std::move(raised), {fmt::format("opset {} became {}", before, version)}};
}

}  // namespace quantsearch
