#include "finetune/layers.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "quantsearch/base/error.h"
#include "quantsearch/model/bodies.h"

namespace quantsearch::reconstruction {

namespace {

bool moves_between_types(const Node& node) {
  return node.op_type == "QuantizeLinear" || node.op_type == "DequantizeLinear";
}

/// Indices of the nodes that compute, in order: the same list in both graphs, since `quantize` only
/// adds pairs.
std::vector<int> computing_nodes(const Graph& graph) {
  std::vector<int> nodes;
  for (int node = 0; node < static_cast<int>(graph.nodes.size()); ++node) {
    if (!moves_between_types(graph.nodes[static_cast<std::size_t>(node)])) nodes.push_back(node);
  }
  return nodes;
}

float scalar_of(const Tensor& tensor) { return to_float32(tensor).values<float>()[0]; }

/// The activation that alone reads `tensor`, when there is one.
Activation activation_behind(const Graph& graph, const GraphIndex& index, const std::string& tensor,
                             std::string& last) {
  last = tensor;
  if (index.is_graph_output(tensor) || index.consumers(tensor).size() != 1) return {};
  const Node& node = graph.nodes[static_cast<std::size_t>(index.consumers(tensor)[0])];
  Activation made;
  if (node.is("Relu")) made.kind = Activation::Kind::relu;
  if (node.is("Sigmoid")) made.kind = Activation::Kind::sigmoid;
  if (node.is("Tanh")) made.kind = Activation::Kind::tanh;
  if (node.is("Gelu") && node.string_attribute("approximate", "none") == "none")
    made.kind = Activation::Kind::gelu;
  if (node.is("HardSwish")) made.kind = Activation::Kind::hard_swish;
  if (node.is("LeakyRelu"))
    made = {.kind = Activation::Kind::leaky_relu, .alpha = node.float_attribute("alpha", 0.01F)};
  if (node.is("HardSigmoid")) {
    made = {.kind = Activation::Kind::hard_sigmoid,
            .alpha = node.float_attribute("alpha", 0.2F),
            .beta = node.float_attribute("beta", 0.5F)};
  }
  if (node.is("Clip")) {
    const Tensor* low = index.initializer(node.input(1));
    const Tensor* high = index.initializer(node.input(2));
    const bool constant =
        (node.input(1).empty() || low != nullptr) && (node.input(2).empty() || high != nullptr);
    if (constant && graph.nodes.size() > 0) {
      constexpr float kLargest = std::numeric_limits<float>::max();
      made = {.kind = Activation::Kind::clip,
              .low = low == nullptr ? node.float_attribute("min", -kLargest) : scalar_of(*low),
              .high = high == nullptr ? node.float_attribute("max", kLargest) : scalar_of(*high)};
    }
  }
  if (made.kind != Activation::Kind::none) last = node.outputs[0];
  return made;
}

class Finder {
 public:
  Finder(const QuantizedModel& candidate, const Model& reference)
      : candidate_(candidate),
        quantized_(candidate.model.graph),
        float_(reference.graph),
        quantized_index_(quantized_),
        float_index_(float_) {}

  /// Throws Unsupported with the reason when the layer cannot be tuned.
  TunableLayer describe(int float_node, int quantized_node) {
    const Node& in_float = float_.nodes[static_cast<std::size_t>(float_node)];
    const Node& in_quantized = quantized_.nodes[static_cast<std::size_t>(quantized_node)];
    TunableLayer layer;
    layer.float_node = float_node;
    layer.quantized_node = quantized_node;
    layer.label = node_label(float_, float_node);
    layer.op_type = in_float.op_type;
    layer.float_weight = float_weight(in_float);
    layer.weight = constant_behind(in_quantized.inputs[1], "weights");
    layer.weight_name = in_float.inputs[1];
    layer.geometry = geometry_of(in_float, layer.float_weight.shape());
    if (const auto limits = candidate_.pair_limits.find(layer.label);
        limits != candidate_.pair_limits.end())
      layer.pairs = weight_pairs(in_float, layer.float_weight.shape(), limits->second);
    layer.input = in_quantized.inputs[0];
    layer.float_input = in_float.inputs[0];
    layer.input_scale = scale_of(layer.input);
    layer.target = in_float.outputs[0];
    if (in_float.is("MatMul"))
      find_matmul_bias(layer, quantized_node);
    else
      find_bias(layer, in_float, in_quantized);
    std::string last;
    layer.activation = activation_behind(float_, float_index_, layer.target, last);
    layer.output = output_grid(last);
    return layer;
  }

 private:
  Tensor float_weight(const Node& node) const {
    const Tensor* weight =
        node.inputs.size() < 2 ? nullptr : float_index_.initializer(node.inputs[1]);
    if (weight == nullptr) throw Unsupported("its weights are not constant");
    Tensor values = to_float32(*weight);
    const float alpha = node.is("Gemm") ? node.float_attribute("alpha", 1.0F) : 1.0F;
    if (alpha != 1.0F) {
      for (float& value : values.mutable_values<float>()) value *= alpha;
    }
    return values;
  }

  /// The constant that only this layer reads through one DequantizeLinear.
  StoredConstant constant_behind(const std::string& tensor, std::string_view what) const {
    const auto producer = quantized_index_.producer(tensor);
    const Node* node = producer ? &quantized_.nodes[static_cast<std::size_t>(*producer)] : nullptr;
    if (node == nullptr || node->op_type != "DequantizeLinear" ||
        quantized_index_.initializer(node->input(0)) == nullptr) {
      throw Unsupported(fmt::format("its {} are not quantized", what));
    }
    if (quantized_index_.consumers(tensor).size() != 1)
      throw Unsupported(fmt::format("its {} are shared with other nodes", what));
    return {.integers = node->inputs[0],
            .scale = node->inputs[1],
            .zero_point = std::string(node->input(2))};
  }

  /// Scale of an activation behind a pair.
  std::optional<float> scale_of(const std::string& tensor) const {
    const auto producer = quantized_index_.producer(tensor);
    if (!producer) return std::nullopt;
    const Node& node = quantized_.nodes[static_cast<std::size_t>(*producer)];
    if (node.op_type != "DequantizeLinear") return std::nullopt;
    const Tensor* scale = quantized_index_.initializer(node.input(1));
    if (scale == nullptr || scale->size() != 1) return std::nullopt;
    return scale->values<float>()[0];
  }

  void find_bias(TunableLayer& layer, const Node& in_float, const Node& in_quantized) {
    if (in_quantized.input(2).empty()) return;
    const Tensor* bias = float_index_.initializer(in_float.inputs[2]);
    if (bias == nullptr) throw Unsupported("its bias is not constant");
    if (bias->size() != layer.geometry.shape.outputs())
      throw Unsupported("its bias is not one value for each output");
    layer.bias_name = in_float.inputs[2];
    store_bias(layer, in_quantized.inputs[2]);
  }

  void store_bias(TunableLayer& layer, const std::string& name) {
    if (quantized_index_.initializer(name) == nullptr) {
      layer.bias = constant_behind(name, "biases");
    } else if (quantized_index_.consumers(name).size() == 1) {
      layer.float_bias = name;
    } else {
      throw Unsupported("its bias is shared with other nodes");
    }
  }

  /// A MatMul's bias is the constant of the Add that alone reads it.
  void find_matmul_bias(TunableLayer& layer, int quantized_node) {
    const auto readers = float_index_.consumers(layer.target);
    if (readers.size() != 1 || float_index_.is_graph_output(layer.target)) return;
    const Node& add = float_.nodes[static_cast<std::size_t>(readers[0])];
    if (!add.is("Add")) return;
    const std::size_t side = add.inputs[0] == layer.target ? 1 : 0;
    const Tensor* bias = float_index_.initializer(add.inputs[side]);
    if (bias == nullptr || bias->shape() != Shape{layer.geometry.shape.rows}) return;
    const std::string& product =
        quantized_.nodes[static_cast<std::size_t>(quantized_node)].outputs[0];
    const auto quantized_readers = quantized_index_.consumers(product);
    if (quantized_readers.size() != 1) return;
    const Node& quantized_add = quantized_.nodes[static_cast<std::size_t>(quantized_readers[0])];
    if (!quantized_add.is("Add")) return;  // the product has a pair of its own
    const std::string& stored = quantized_add.inputs[quantized_add.inputs[0] == product ? 1 : 0];
    layer.bias_name = add.inputs[side];
    layer.target = add.outputs[0];
    store_bias(layer, stored);
  }

  std::optional<OutputGrid> output_grid(const std::string& tensor) const {
    const auto params = candidate_.tensors.find(tensor);
    if (params == candidate_.tensors.end()) return std::nullopt;
    return OutputGrid{.scale = params->second.scales[0],
                      .zero_point = static_cast<std::int32_t>(params->second.zero_points[0]),
                      .limits = integer_limits(params->second.type, false)};
  }

  const QuantizedModel& candidate_;
  const Graph& quantized_;
  const Graph& float_;
  GraphIndex quantized_index_;
  GraphIndex float_index_;
};

bool is_wanted(const Node& node, const std::vector<std::string>& op_types) {
  return node.domain.empty() && std::ranges::find(op_types, node.op_type) != op_types.end();
}

LayerReconstruction skipped(const Graph& graph, int node, std::string reason) {
  LayerReconstruction record;
  record.node = node_label(graph, node);
  record.op_type = graph.nodes[static_cast<std::size_t>(node)].op_type;
  record.reason = std::move(reason);
  return record;
}

/// Layers inside If, Loop and Scan keep their integers.
void skip_bodies(const Graph& graph, const std::vector<std::string>& op_types,
                 std::vector<LayerReconstruction>& records) {
  for (const BodyPlace& place : bodies_of(graph)) {
    const Graph& body = body_at(graph, place);
    for (int node = 0; node < static_cast<int>(body.nodes.size()); ++node) {
      if (is_wanted(body.nodes[static_cast<std::size_t>(node)], op_types))
        records.push_back(
            skipped(body, node,
                    "it is inside a body, and only layers of the main graph are reconstructed"));
    }
    skip_bodies(body, op_types, records);
  }
}

/// Without those that the float model does not have: what scales the rows of a stored table.
std::vector<int> without_fresh_nodes(std::vector<int> nodes, const Graph& graph,
                                     const Graph& reference) {
  std::set<std::string_view> known;
  for (const Node& node : reference.nodes) known.insert(node.name);
  std::erase_if(nodes, [&](int node) {
    const std::string& name = graph.nodes[static_cast<std::size_t>(node)].name;
    return !name.empty() && !known.contains(name);
  });
  return nodes;
}

}  // namespace

FoundLayers find_layers(const QuantizedModel& candidate, const Model& reference,
                        const std::vector<std::string>& op_types) {
  const std::vector<int> in_float = computing_nodes(reference.graph);
  const std::vector<int> in_quantized = without_fresh_nodes(computing_nodes(candidate.model.graph),
                                                            candidate.model.graph, reference.graph);
  if (in_float.size() != in_quantized.size()) {
    throw InternalError(fmt::format(
        "finetune: the float model has {} nodes, the quantized one {}, expected as many",
        in_float.size(), in_quantized.size()));
  }
  FoundLayers found;
  Finder finder(candidate, reference);
  for (std::size_t at = 0; at < in_float.size(); ++at) {
    const Node& node = reference.graph.nodes[static_cast<std::size_t>(in_float[at])];
    if (!is_wanted(node, op_types)) continue;
    try {
      found.layers.push_back(finder.describe(in_float[at], in_quantized[at]));
    } catch (const Unsupported& reason) {
      found.skipped.push_back(skipped(reference.graph, in_float[at], reason.what()));
    }
  }
  skip_bodies(reference.graph, op_types, found.skipped);
  return found;
}

}  // namespace quantsearch::reconstruction
