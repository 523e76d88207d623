#include "finetune/layers.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/model/bodies.h"

namespace quantsearch::reconstruction {

namespace {

float scalar_of(const Tensor& tensor) { return to_float32(tensor).values<float>()[0]; }

/// The activation function that is the only reader of `tensor`, if there is one. `last` becomes its
/// output, or `tensor` if there is none.
Activation activation_after(const Graph& graph, const GraphIndex& index, const std::string& tensor,
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
    if (constant) {
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
        float_index_(float_) {
    for (const QuantizedLayer& layer : candidate.linear_layers) stored_[layer.label] = &layer;
  }

  /// Describes a layer. Throws Unsupported, with the reason, when it cannot be tuned.
  TunableLayer describe(int float_node) {
    const Node& node = float_.nodes[static_cast<std::size_t>(float_node)];
    const Tensor* weight =
        node.inputs.size() < 2 ? nullptr : float_index_.initializer(node.inputs[1]);
    if (weight == nullptr) throw Unsupported("its weights are not constant");
    const auto found = stored_.find(node_label(float_, float_node));
    if (found == stored_.end()) throw Unsupported("its weights are not quantized");
    TunableLayer layer;
    layer.stored = *found->second;
    layer.float_node = float_node;
    layer.op_type = node.op_type;
    layer.float_weight =
        scaled(to_float32(*weight), node.is("Gemm") ? node.float_attribute("alpha", 1.0F) : 1.0F);
    layer.geometry = geometry_of(node, weight->shape());
    require_own_constants(layer);
    if (layer.stored.pair_limits)
      layer.pairs = weight_pairs(node, weight->shape(), *layer.stored.pair_limits);
    layer.input = quantized_.nodes[static_cast<std::size_t>(layer.stored.node)].inputs[0];
    layer.float_input = node.inputs[0];
    if (!layer.stored.bias.empty()) layer.float_bias = float_bias(layer, node);
    std::string last;
    layer.activation = activation_after(float_, float_index_, layer.stored.output, last);
    layer.output = output_grid(last);
    return layer;
  }

 private:
  [[nodiscard]] bool has_one_reader(const std::string& tensor) const {
    return quantized_index_.consumers(tensor).size() == 1;
  }

  /// Several DequantizeLinear may read the integers of a constant, and several nodes may read the
  /// output of a DequantizeLinear.
  [[nodiscard]] bool is_read_once(const StoredIntegers& constant) const {
    if (!has_one_reader(constant.integers)) return false;
    const int reader = quantized_index_.consumers(constant.integers)[0];
    return has_one_reader(quantized_.nodes[static_cast<std::size_t>(reader)].outputs[0]);
  }

  void require_own_constants(const TunableLayer& layer) const {
    const QuantizedLayer& stored = layer.stored;
    if (!is_read_once(stored.stored_weight))
      throw Unsupported("its weights are shared with other nodes");
    if (stored.stored_bias && !is_read_once(*stored.stored_bias))
      throw Unsupported("its biases are shared with other nodes");
    if (!stored.float_bias.empty() && !has_one_reader(stored.float_bias))
      throw Unsupported("its bias is shared with other nodes");
  }

  [[nodiscard]] std::vector<float> float_bias(const TunableLayer& layer, const Node& node) const {
    const Tensor& bias = *float_index_.initializer(layer.stored.bias);
    if (bias.size() != layer.geometry.shape.outputs())
      throw Unsupported("its bias is not one value for each output");
    const Tensor values =
        scaled(to_float32(bias), node.is("Gemm") ? node.float_attribute("beta", 1.0F) : 1.0F);
    return {values.values<float>().begin(), values.values<float>().end()};
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
  std::map<std::string, const QuantizedLayer*, std::less<>> stored_;  // by label
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

/// Adds records for layers inside If, Loop and Scan, which keep their integers.
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

}  // namespace

FoundLayers find_layers(const QuantizedModel& candidate, const Model& reference,
                        const std::vector<std::string>& op_types) {
  FoundLayers found;
  Finder finder(candidate, reference);
  for (int node = 0; node < static_cast<int>(reference.graph.nodes.size()); ++node) {
    if (!is_wanted(reference.graph.nodes[static_cast<std::size_t>(node)], op_types)) continue;
    try {
      found.layers.push_back(finder.describe(node));
    } catch (const Unsupported& reason) {
      found.skipped.push_back(skipped(reference.graph, node, reason.what()));
    }
  }
  skip_bodies(reference.graph, op_types, found.skipped);
  return found;
}

}  // namespace quantsearch::reconstruction
