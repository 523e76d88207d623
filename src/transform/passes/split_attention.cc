// Attention of com.microsoft contains a projection, the layer with most of a transformer's weights.
// It becomes the operators that it consists of: MatMul and Add, Split into query, key and value,
// MultiHeadAttention. It stays when it has states of earlier steps, rotary embeddings, masks in
// forms that MultiHeadAttention reads differently (lengths) or computed weights.

#include <fmt/core.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transform/graph_editor.h"
#include "transform/pass.h"

namespace quantsearch {

namespace {

bool is_attention(const Node& node) {
  return node.domain == "com.microsoft" && node.op_type == "Attention";
}

/// Why the node cannot be split; empty when it can.
std::string objection_to(const GraphEditor& editor, const Node& node) {
  constexpr std::size_t kMask = 3;
  constexpr std::size_t kPast = 4;
  constexpr std::size_t kPastLength = 6;
  if (!node.input(kPast).empty() || !node.input(kPastLength).empty() || node.outputs.size() > 1)
    return "it keeps states of earlier steps";
  if (node.int_attribute("do_rotary", 0) != 0) return "it has rotary embeddings";
  if (editor.constant(node.input(1)) == nullptr) return "its weight is not constant";
  const std::string_view mask = node.input(kMask);
  if (mask.empty()) return "";
  const Tensor* constant = editor.constant(mask);
  const auto rank =
      constant != nullptr ? std::optional(constant->shape().size()) : rank_of(editor.value(mask));
  return rank == std::size_t{2} || rank == std::size_t{3} ? "" : "its mask does not mark positions";
}

/// Columns of query, key and value.
std::vector<std::int64_t> parts_of(const Node& node, const Tensor& weight) {
  const std::int64_t third = weight.shape().back() / 3;
  return node.ints_attribute("qkv_hidden_sizes", {third, third, third});
}

std::vector<Node> split(GraphEditor& editor, const Node& node) {
  const auto fresh = [&](const std::string& what) {
    return editor.unique_name(node.outputs[0] + "_" + what);
  };
  std::vector<Node> nodes;
  std::string projected = fresh("projected");
  nodes.push_back(
      plain_node("MatMul", fresh("MatMul"), {node.inputs[0], node.inputs[1]}, projected));
  if (!node.input(2).empty()) {
    std::string biased = fresh("biased");
    nodes.push_back(plain_node("Add", fresh("Add"), {projected, node.inputs[2]}, biased));
    projected = std::move(biased);
  }
  const std::vector<std::int64_t> parts = parts_of(node, *editor.constant(node.inputs[1]));
  const std::string sizes =
      editor.add_constant(node.outputs[0] + "_parts", Tensor::of<std::int64_t>({3}, parts));
  Node three = plain_node("Split", fresh("Split"), {projected, sizes}, fresh("query"));
  three.outputs.push_back(fresh("key"));
  three.outputs.push_back(fresh("value"));
  three.set_attribute("axis", std::int64_t{-1});
  Node attention = node;
  attention.op_type = "MultiHeadAttention";
  attention.inputs = three.outputs;
  attention.inputs.emplace_back();  // the bias is in the projection
  attention.inputs.emplace_back(node.input(3));
  attention.inputs.emplace_back(node.input(5));
  while (attention.inputs.back().empty()) attention.inputs.pop_back();
  attention.remove_attribute("qkv_hidden_sizes");
  attention.remove_attribute("do_rotary");
  attention.remove_attribute("rotary_embedding_dim");
  attention.remove_attribute("past_present_share_buffer");
  nodes.push_back(std::move(three));
  nodes.push_back(std::move(attention));
  return nodes;
}

}  // namespace

PassResult split_attention(Model model) {
  std::vector<std::string> notes;
  GraphEditor editor(model.graph);
  for (int index = 0; index < editor.node_count(); ++index) {
    const Node node = editor.node(index);
    if (!is_attention(node)) continue;
    const std::string name = editor.describe(index);
    if (const std::string objection = objection_to(editor, node); !objection.empty()) {
      notes.push_back(fmt::format("{} stays: {}", name, objection));
      continue;
    }
    editor.replace(index, split(editor, node));
    notes.push_back(name + " became MatMul and MultiHeadAttention");
  }
  editor.finish();
  return {std::move(model), std::move(notes)};
}

}  // namespace quantsearch
