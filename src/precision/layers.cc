#include "precision/layers.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <set>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"

namespace quantsearch {

namespace {

class Grouping {
 public:
  Grouping(const Model& model, const PrecisionOptions& options)
      : graph_(model.graph), op_types_(options.op_types.begin(), options.op_types.end()) {}

  std::vector<Layer> run(const std::vector<FormatTarget>& targets) {
    std::map<int, const FormatTarget*> by_node;
    for (const FormatTarget& target : targets) by_node[target.node] = &target;
    for (int node = 0; node < static_cast<int>(graph_.nodes.size()); ++node) {
      const auto target = by_node.find(node);
      place(node, target == by_node.end() ? nullptr : target->second);
    }
    return std::move(layers_);
  }

 private:
  /// The latest layer among those whose outputs the node reads.
  [[nodiscard]] std::optional<std::size_t> layer_read_by(const Node& node) const {
    std::optional<std::size_t> latest;
    for (const std::string& input : node.inputs) {
      const auto found = layer_of_.find(input);
      if (found != layer_of_.end() && (!latest || found->second > *latest)) latest = found->second;
    }
    return latest;
  }

  void place(int at, const FormatTarget* target) {
    const Node& node = graph_.nodes[static_cast<std::size_t>(at)];
    std::optional<std::size_t> layer = layer_read_by(node);
    if (target != nullptr) {
      if (op_types_.contains(node.op_type) || !layer) {
        layer = layers_.size();
        layers_.push_back({.members = {}, .op_type = node.op_type, .is_free = true});
      }
      layers_[*layer].members.push_back(
          {.node = at, .label = node_label(graph_, at), .has_weight = target->has_weight});
    }
    if (!layer) return;
    for (const std::string& output : node.outputs) layer_of_[output] = *layer;
  }

  const Graph& graph_;
  std::set<std::string> op_types_;
  std::vector<Layer> layers_;
  std::map<std::string, std::size_t, std::less<>> layer_of_;  // by tensor
};

std::set<std::string> known_layers(const std::vector<Layer>& layers,
                                   const std::vector<std::string>& names, std::string_view option) {
  std::vector<std::string> known;
  for (const Layer& layer : layers) known.push_back(layer.members[0].label);
  for (const std::string& name : names) {
    if (std::ranges::find(known, name) != known.end()) continue;
    throw InvalidInput(fmt::format("precision: option '{}': {}", option,
                                   unknown_name_message("layer", name, known)));
  }
  return {names.begin(), names.end()};
}

}  // namespace

std::vector<Layer> find_layers(const Model& model, const QuantizeOptions& quantization,
                               const PrecisionOptions& options) {
  std::vector<Layer> layers = Grouping(model, options).run(format_targets(model, quantization));
  const auto included = known_layers(layers, options.include_layers, "IncludeLayers");
  const auto excluded = known_layers(layers, options.exclude_layers, "ExcludeLayers");
  for (Layer& layer : layers) {
    const std::string& name = layer.members[0].label;
    const auto is_fixed = [&](const Member& member) {
      return quantization.node_formats.contains(member.label);
    };
    layer.is_free = !excluded.contains(name) && (included.empty() || included.contains(name)) &&
                    std::ranges::none_of(layer.members, is_fixed);
  }
  return layers;
}

void set_format(std::map<std::string, NodeFormat>& formats, const Layer& layer,
                const NodeFormat& format) {
  for (const Member& member : layer.members) {
    NodeFormat own = format;
    if (!member.has_weight) own.weight.reset();
    if (own != NodeFormat{}) formats[member.label] = own;
  }
}

}  // namespace quantsearch
