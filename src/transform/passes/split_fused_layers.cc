// Layers that ONNX Runtime's optimizer fused (com.microsoft) become the operators that were fused,
// to which the rules for layers apply. ONNX Runtime fuses them again where they stay float.
//   FusedMatMul, TransposeMatMul  -> Transpose, MatMul, times alpha
//   FusedConv                     -> Conv, Add of its fourth input, activation
//   FusedGemm                     -> Gemm, activation

#include <fmt/core.h>

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transform/graph_editor.h"
#include "transform/pass.h"

namespace quantsearch {

namespace {

bool is_fused(const Node& node, std::string_view op_type) {
  return node.domain == "com.microsoft" && node.op_type == op_type;
}

/// The activation of a FusedConv or FusedGemm with its parameters; nullopt for an unknown one.
std::optional<Node> activation_of(const Node& fused) {
  const std::string type = fused.string_attribute("activation", "");
  std::vector<float> parameters;
  if (const Attribute* list = fused.find_attribute("activation_params")) {
    if (const auto* values = std::get_if<std::vector<float>>(&list->value)) parameters = *values;
  }
  for (const char* name : {"activation_alpha", "activation_beta"}) {
    if (fused.find_attribute(name) != nullptr) parameters.push_back(fused.float_attribute(name, 0));
  }
  Node node = plain_node(type, "", {}, "");
  if (type == "Relu" || type == "Sigmoid" || type == "Tanh") return node;
  if (type == "LeakyRelu" && parameters.size() == 1) {
    node.set_attribute("alpha", parameters[0]);
    return node;
  }
  if (type == "HardSigmoid" && parameters.size() == 2) {
    node.set_attribute("alpha", parameters[0]);
    node.set_attribute("beta", parameters[1]);
    return node;
  }
  if (type == "Clip" && parameters.size() == 2) {
    node.set_attribute("min", parameters[0]);  // append_activation() turns them into inputs
    node.set_attribute("max", parameters[1]);
    return node;
  }
  return std::nullopt;
}

class LayerSplitter {
 public:
  LayerSplitter(GraphEditor& editor, int index)
      : editor_(editor), index_(index), fused_(editor.node(index)) {}

  /// Returns a note on what was done or why nothing was; empty for other operators.
  std::string run() {
    std::string objection;
    if (is_fused(fused_, "FusedMatMul") || is_fused(fused_, "TransposeMatMul")) {
      objection = split_matmul();
    } else if (is_fused(fused_, "FusedConv")) {
      objection = split_layer("Conv");
    } else if (is_fused(fused_, "FusedGemm")) {
      objection = split_layer("Gemm");
    } else {
      return "";
    }
    if (!objection.empty()) return fmt::format("{} stays: {}", editor_.describe(index_), objection);
    nodes_.back().outputs[0] = fused_.outputs[0];
    std::string note =
        fmt::format("{} was split into {} nodes", editor_.describe(index_), nodes_.size());
    editor_.replace(index_, std::move(nodes_));
    return note;
  }

 private:
  [[nodiscard]] std::string fresh(const std::string& what) {
    return editor_.unique_name(fused_.outputs[0] + "_" + what);
  }
  [[nodiscard]] std::optional<std::size_t> known_rank(const std::string& tensor) const {
    if (const Tensor* constant = editor_.constant(tensor)) return constant->shape().size();
    return rank_of(editor_.value(tensor));
  }
  std::string append(Node node) {
    nodes_.push_back(std::move(node));
    return nodes_.back().outputs[0];
  }

  std::string split_matmul() {
    if (fused_.int_attribute("transBatchA", 0) != 0 || fused_.int_attribute("transBatchB", 0) != 0)
      return "it moves a batch axis";
    constexpr std::array kFlags = {"transA", "transB"};
    std::array<std::optional<std::size_t>, 2> ranks;
    for (std::size_t input = 0; input < 2; ++input) {
      if (fused_.int_attribute(kFlags[input], 0) == 0) continue;
      ranks[input] = known_rank(fused_.inputs[input]);
      if (!ranks[input]) return fmt::format("the rank of '{}' is not known", fused_.inputs[input]);
    }
    std::array<std::string, 2> operands = {fused_.inputs[0], fused_.inputs[1]};
    for (std::size_t input = 0; input < 2; ++input) {
      if (ranks[input].value_or(0) > 1)
        operands[input] = with_last_axes_swapped(operands[input], *ranks[input]);
    }
    const float alpha = fused_.float_attribute("alpha", 1);
    // A constant operand takes the factor, so that no multiplication is left at run time.
    const bool folds = alpha != 1 && editor_.is_constant_expression(fused_.inputs[1]);
    if (folds) operands[1] = times(alpha, operands[1]);
    const std::string product =
        append(plain_node("MatMul", fused_.name, {operands[0], operands[1]}, fresh("product")));
    if (alpha != 1 && !folds) times(alpha, product);
    return "";
  }

  std::string with_last_axes_swapped(const std::string& tensor, std::size_t rank) {
    std::vector<std::int64_t> order;
    for (std::size_t axis = 0; axis < rank; ++axis)
      order.push_back(static_cast<std::int64_t>(axis));
    std::swap(order[rank - 1], order[rank - 2]);
    Node node = plain_node("Transpose", fresh("Transpose"), {tensor}, fresh("transposed"));
    node.set_attribute("perm", std::move(order));
    return append(std::move(node));
  }

  std::string times(float factor, const std::string& tensor) {
    const std::string constant =
        editor_.add_constant(fused_.outputs[0] + "_alpha", Tensor::scalar(factor));
    return append(plain_node("Mul", fresh("Mul"), {tensor, constant}, fresh("scaled")));
  }

  std::string split_layer(const std::string& op_type) {
    const std::string type = fused_.string_attribute("activation", "");
    const std::optional<Node> activation = activation_of(fused_);
    if (!type.empty() && !activation) return fmt::format("its activation '{}' is not known", type);
    Node layer = fused_;
    layer.op_type = op_type;
    layer.domain.clear();
    for (const char* name : {"activation", "activation_params", "activation_alpha",
                             "activation_beta", "activation_gamma"}) {
      layer.remove_attribute(name);
    }
    const std::string addend(op_type == "Conv" ? layer.input(3) : "");
    if (layer.inputs.size() > 3) layer.inputs.resize(3);
    if (layer.input(2).empty()) layer.inputs.resize(2);
    layer.outputs = {fresh("layer")};
    std::string made = append(std::move(layer));
    if (!addend.empty())
      made = append(plain_node("Add", fresh("Add"), {made, addend}, fresh("sum")));
    if (activation) append_activation(*activation, made);
    return "";
  }

  void append_activation(Node node, const std::string& input) {
    node.name = fresh(node.op_type);
    node.inputs = {input};
    node.outputs = {fresh("activation")};
    if (node.is("Clip")) {
      for (const char* bound : {"min", "max"}) {
        node.inputs.push_back(editor_.add_constant(fused_.outputs[0] + "_" + bound,
                                                   Tensor::scalar(node.float_attribute(bound, 0))));
        node.remove_attribute(bound);
      }
    }
    append(std::move(node));
  }

  GraphEditor& editor_;
  int index_;
  Node fused_;
  std::vector<Node> nodes_;
};

}  // namespace

PassResult split_fused_layers(Model model) {
  std::vector<std::string> notes;
  GraphEditor editor(model.graph);
  for (int index = 0; index < editor.node_count(); ++index) {
    if (std::string note = LayerSplitter(editor, index).run(); !note.empty())
      notes.push_back(std::move(note));
  }
  editor.finish();
  return {std::move(model), std::move(notes)};
}

}  // namespace quantsearch
