#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/model/bodies.h"
#include "quantsearch/internal/model/checks.h"
#include "transform/pass.h"

namespace quantsearch {

namespace {

/// The value of an If's condition in every run; nullopt when it is not known.
std::optional<bool> constant_condition(const Node& node, const GraphIndex& index) {
  const std::string_view condition = node.input(0);
  const Tensor* const value = index.initializer(condition);
  if (value == nullptr || index.is_graph_input(condition)) return std::nullopt;
  if (value->type() != DataType::boolean || value->size() != 1) return std::nullopt;
  return value->values<bool>()[0];
}

/// Replaces every If of known condition by the branch that is always taken. An If inside a branch
/// waits for the next round.
std::vector<std::string> inline_known(Graph& graph) {
  std::vector<std::string> notes;
  const GraphIndex index(graph);
  // The walk starts at the end, so that the indices of earlier nodes stay valid.
  for (int node = static_cast<int>(graph.nodes.size()) - 1; node >= 0; --node) {
    const Node& at = graph.nodes[static_cast<std::size_t>(node)];
    if (!at.is("If")) continue;
    const std::optional<bool> condition = constant_condition(at, index);
    if (!condition) continue;
    const char* const branch = *condition ? "then_branch" : "else_branch";
    notes.push_back(fmt::format("{} became its {}", describe_node(graph, node), branch));
    inline_body(graph, {.node = node, .attribute = branch});
  }
  std::ranges::reverse(notes);
  return notes;
}

}  // namespace

PassResult inline_constant_ifs(Model model, bool folds) {
  const Model before = model;
  std::vector<std::string> notes;
  while (true) {
    std::vector<std::string> made = inline_known(model.graph);
    if (made.empty()) break;
    notes.insert(notes.end(), std::make_move_iterator(made.begin()),
                 std::make_move_iterator(made.end()));
    // The condition of an If inside the branch may only now have become a constant.
    sort_topologically(model.graph);
    model = constants_to_initializers(std::move(model)).model;
    model = remove_identities(infer_shapes(std::move(model))).model;
    if (folds) model = fold_constants(infer_shapes(std::move(model))).model;
    model = infer_shapes(std::move(model));
  }
  // An If hides sizes from the shape inference, which may object to them once the If is gone.
  if (const std::string objection = notes.empty() ? "" : objection_to(model);
      !objection.empty() && objection_to(before).empty()) {
    return {
        before,
        {fmt::format("every If stays: without them the model is not valid ONNX: {}", objection)}};
  }
  return {std::move(model), std::move(notes)};
}

}  // namespace quantsearch
