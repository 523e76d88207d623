#include "precision/noise_sources.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "quantsearch/internal/model/bodies.h"
#include "quantsearch/internal/model/linear_layer.h"

namespace quantsearch {

namespace {

std::string pattern_of(const Graph& graph, const GraphIndex& index, const Layer& layer) {
  const Node& node = graph.nodes[static_cast<std::size_t>(layer.members[0].node)];
  if (!is_linear(node)) return node.op_type;
  const Tensor* const weight = index.initializer(node.input(1));
  if (weight == nullptr) return node.op_type + " without weight";
  if (node.op_type != "Conv" && node.op_type != "ConvTranspose") return node.op_type;
  const Shape& shape = weight->shape();
  if (shape.size() < 3) return node.op_type;
  const std::vector<std::int64_t> kernel(shape.begin() + 2, shape.end());
  const auto layout = weight_layout(node, shape);
  const char* kind = "";
  if (layout && layout->groups > 1) kind = layout->is_depthwise() ? " depthwise" : " grouped";
  return fmt::format("{} {}{}", node.op_type, fmt::join(kernel, "x"), kind);
}

void add_labels(const Graph& graph, std::set<std::string>& labels) {
  for (int node = 0; node < static_cast<int>(graph.nodes.size()); ++node)
    labels.insert(node_label(graph, node));
  for (const BodyPlace& place : bodies_of(graph)) add_labels(body_at(graph, place), labels);
}

class SourceFinder {
 public:
  SourceFinder(const Model& model, const QuantizedModel& quantized)
      : graph_(model.graph), index_(model.graph), quantized_(quantized) {
    for (const LayerRecord& record : quantized.layers) {
      if (record.quantized) quantized_labels_.insert(record.node);
    }
  }

  void add_layer(Layer layer) {
    if (std::ranges::none_of(layer.members, [&](const Member& member) {
          return quantized_labels_.contains(member.label);
        })) {
      return;
    }
    std::string pattern = pattern_of(graph_, index_, layer);
    sources_.push_back(
        {.layer = std::move(layer), .has_formats = true, .pattern = std::move(pattern)});
  }

  /// Adds the nodes that no format can leave float.
  void add_named() {
    std::set<int> with_bodies;
    for (const BodyPlace& place : bodies_of(graph_)) {
      std::set<std::string> labels;
      add_labels(body_at(graph_, place), labels);
      const bool is_quantized = std::ranges::any_of(
          labels, [&](const std::string& label) { return quantized_labels_.contains(label); });
      if (is_quantized && with_bodies.insert(place.node).second)
        add_node(place.node, "bodies of " + node_at(place.node).op_type);
    }
    for (int node = 0; node < static_cast<int>(graph_.nodes.size()); ++node) {
      if (node_at(node).is("LSTM") && quantized_labels_.contains(node_label(graph_, node)))
        add_node(node, node_at(node).op_type);
    }
  }

  std::vector<NoiseSource> sources() {
    std::ranges::stable_sort(
        sources_, {}, [](const NoiseSource& source) { return source.layer.members[0].node; });
    // In this order, because a weight that several layers read counts for the first.
    for (NoiseSource& source : sources_) {
      for (const Member& member : source.layer.members) source.bytes_saved += bytes_saved(member);
    }
    return std::move(sources_);
  }

 private:
  [[nodiscard]] const Node& node_at(int node) const {
    return graph_.nodes[static_cast<std::size_t>(node)];
  }

  void add_node(int node, std::string pattern) {
    Layer layer{.members = {{.node = node, .label = node_label(graph_, node), .has_weight = false}},
                .op_type = node_at(node).op_type,
                .is_free = false};
    sources_.push_back(
        {.layer = std::move(layer), .has_formats = false, .pattern = std::move(pattern)});
  }

  std::int64_t bytes_saved(const Member& member) {
    const Node& node = node_at(member.node);
    std::int64_t bytes = 0;
    for (const std::string& input : node.inputs) {
      const Tensor* const constant = index_.initializer(input);
      if (constant != nullptr) bytes += bytes_saved(input, *constant);
    }
    // DynamicQuantizeLSTM has no parameters among the tensors; its two weights have 8 bits.
    for (const std::size_t input : {std::size_t{1}, std::size_t{2}}) {
      const Tensor* const weight =
          node.is("LSTM") ? index_.initializer(node.input(input)) : nullptr;
      if (weight != nullptr && counted_.insert(std::string(node.input(input))).second)
        bytes += static_cast<std::int64_t>(weight->bytes().size()) - weight->size();
    }
    for (const BodyPlace& place : bodies_of(graph_)) {
      if (place.node == member.node) bytes += bytes_saved(body_at(graph_, place));
    }
    return bytes;
  }

  std::int64_t bytes_saved(const Graph& body) {
    std::int64_t bytes = 0;
    for (const Initializer& initializer : body.initializers)
      bytes += bytes_saved(initializer.name, *initializer.tensor);
    for (const BodyPlace& place : bodies_of(body)) bytes += bytes_saved(body_at(body, place));
    return bytes;
  }

  std::int64_t bytes_saved(const std::string& name, const Tensor& constant) {
    const auto params = quantized_.tensors.find(name);
    if (params == quantized_.tensors.end() || !counted_.insert(name).second) return 0;
    return static_cast<std::int64_t>(constant.bytes().size()) -
           byte_count(params->second.type, constant.shape());
  }

  const Graph& graph_;
  GraphIndex index_;
  const QuantizedModel& quantized_;
  std::set<std::string> quantized_labels_;
  std::set<std::string> counted_;  // initializers
  std::vector<NoiseSource> sources_;
};

void leave_float(QuantizeOptions& options, const NoiseSource& source) {
  for (const Member& member : source.layer.members) {
    if (source.has_formats) {
      options.node_formats[member.label] = {.keep_float = true};
    } else {
      options.exclude_nodes.push_back(member.label);
    }
  }
}

/// `own` where it is given, else `other`, with twice the bits; absent when it has 16 already.
std::optional<DataType> wider(const std::optional<DataType>& own, DataType other) {
  const DataType type = own ? *own : other;
  if (type == DataType::int8) return DataType::int16;
  if (type == DataType::uint8) return DataType::uint16;
  return std::nullopt;
}

/// The rules that make tensors share parameters support one type only.
bool allows_formats(const QuantizeOptions& options) {
  return !options.npu.enabled && !options.align.concat && !options.align.pool && !options.align.pad;
}

}  // namespace

std::vector<NoiseSource> find_noise_sources(const Model& model, const QuantizeOptions& quantization,
                                            const QuantizedModel& quantized,
                                            const std::vector<std::string>& op_types) {
  SourceFinder finder(model, quantized);
  for (Layer& layer : find_layers(model, quantization, {.op_types = op_types}))
    finder.add_layer(std::move(layer));
  finder.add_named();
  return finder.sources();
}

QuantizeOptions quantizing_only(QuantizeOptions quantization,
                                const std::vector<NoiseSource>& sources, std::size_t source) {
  for (std::size_t other = 0; other < sources.size(); ++other) {
    if (other != source) leave_float(quantization, sources[other]);
  }
  return quantization;
}

QuantizeOptions leaving_float(QuantizeOptions quantization, const NoiseSource& source) {
  leave_float(quantization, source);
  return quantization;
}

std::map<std::string, NodeFormat> wide_formats(const NoiseSource& source,
                                               const QuantizeOptions& quantization) {
  const NodeFormat as_options;
  std::map<std::string, NodeFormat> formats;
  if (!source.has_formats || !allows_formats(quantization)) return formats;
  for (const Member& member : source.layer.members) {
    const auto own = quantization.node_formats.find(member.label);
    const NodeFormat& now = own == quantization.node_formats.end() ? as_options : own->second;
    NodeFormat wide;
    wide.activation = wider(now.activation, quantization.activation_type);
    if (member.has_weight) wide.weight = wider(now.weight, quantization.weight_type);
    if (wide != NodeFormat{}) formats[member.label] = wide;
  }
  return formats;
}

}  // namespace quantsearch
