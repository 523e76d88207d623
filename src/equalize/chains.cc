#include "equalize/chains.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

namespace quantsearch::equalizing {

namespace {

/// True when the layer contracts the axis of the channels.
bool takes_channels(const Node& node, const LinearLayer& layer, ChannelAxis at,
                    std::int64_t channels) {
  if (layer.layout.inputs != channels) return false;
  const int weight_rank = static_cast<int>(layer.weight->shape().size());
  if (node.is("MatMul")) return at.axis == at.rank - 1 && at.rank >= 2;
  if (node.is("Gemm")) return at.axis == 1 && at.rank == 2 && node.int_attribute("transA", 0) == 0;
  return at.axis == 1 && at.rank == weight_rank;
}

class ChainFinder {
 public:
  ChainFinder(const Graph& graph, const GraphIndex& index) : graph_(graph), index_(index) {
    for (int node = 0; node < static_cast<int>(graph.nodes.size()); ++node) {
      auto layer = linear_layer(graph, index, node);
      if (!layer) continue;
      layer_of_[node] = static_cast<int>(chains_.layers.size());
      chains_.layers.push_back(std::move(*layer));
    }
  }

  ChainMap find() {
    for (int layer = 0; layer < static_cast<int>(chains_.layers.size()); ++layer) follow(layer);
    return std::move(chains_);
  }

 private:
  [[nodiscard]] const Node& node(int index) const {
    return graph_.nodes[static_cast<std::size_t>(index)];
  }

  void follow(int from) {
    const LinearLayer& layer = chains_.layers[static_cast<std::size_t>(from)];
    if (!layer.bias.is_readable) return;
    std::optional<ChannelAxis> at = output_axis(index_, node(layer.node), layer);
    if (!at) return;
    Link link{.from = from, .to = 0, .between = {}, .additions = {}};
    std::string tensor = node(layer.node).outputs[0];
    while (at && has_one_reader(graph_, index_, tensor)) {
      const int reader = index_.consumers(tensor)[0];
      if (ends_at(reader, tensor, *at, link)) return;
      at = step(reader, tensor, *at, layer.layout.outputs, link);
      tensor = node(reader).outputs[0];
    }
  }

  /// Returns true when the walk ends, with or without a link.
  bool ends_at(int reader, const std::string& tensor, ChannelAxis at, Link& link) {
    const auto found = layer_of_.find(reader);
    if (found == layer_of_.end()) return false;
    const auto& from = chains_.layers[static_cast<std::size_t>(link.from)];
    const auto& to = chains_.layers[static_cast<std::size_t>(found->second)];
    if (node(reader).input(0) == tensor &&
        takes_channels(node(reader), to, at, from.layout.outputs)) {
      link.to = found->second;
      chains_.links.push_back(std::move(link));
    }
    return true;
  }

  /// The axis of the channels after the reader; absent when the chain ends there.
  std::optional<ChannelAxis> step(int reader, const std::string& tensor, ChannelAxis at,
                                  std::int64_t channels, Link& link) {
    link.between.push_back(reader);
    if (addition(index_, node(reader), tensor, at, channels)) {
      link.additions.push_back(reader);
      return at;
    }
    const auto after = passes_scale(index_, node(reader), tensor, at, channels);
    if (!after && node(reader).is("Clip")) {
      const int head = chains_.layers[static_cast<std::size_t>(link.from)].node;
      chains_.notes.push_back(
          fmt::format("the chain from {} ends at {}: Clip has no bounds per channel",
                      describe_node(graph_, head), describe_node(graph_, reader)));
    }
    return after;
  }

  const Graph& graph_;
  const GraphIndex& index_;
  std::map<int, int> layer_of_;  // node -> layer
  ChainMap chains_;
};

}  // namespace

bool has_one_reader(const Graph& graph, const GraphIndex& index, std::string_view tensor) {
  const auto readers = index.consumers(tensor);
  if (readers.size() != 1 || index.is_graph_output(tensor)) return false;
  // A reader that does not name the tensor reads it in a subgraph, possibly many times.
  return std::ranges::count(graph.nodes[static_cast<std::size_t>(readers[0])].inputs, tensor) == 1;
}

std::optional<ChannelAxis> output_axis(const GraphIndex& index, const Node& node,
                                       const LinearLayer& layer) {
  if (!node.is("MatMul")) {
    return ChannelAxis{.axis = 1, .rank = static_cast<int>(layer.weight->shape().size())};
  }
  const ValueInfo* input = index.value(node.input(0));
  if (input == nullptr || !input->dimensions || input->dimensions->size() < 2) return std::nullopt;
  const int rank =
      static_cast<int>(std::max(input->dimensions->size(), layer.weight->shape().size()));
  return ChannelAxis{.axis = rank - 1, .rank = rank};
}

std::optional<Addition> addition(const GraphIndex& index, const Node& node, std::string_view tensor,
                                 ChannelAxis at, std::int64_t channels) {
  const bool is_first = node.input(0) == tensor;
  if (!node.is("Add") && !(node.is("Sub") && is_first)) return std::nullopt;
  const std::size_t input = is_first ? 1 : 0;
  const auto constant = constant_of(index, node.input(input));
  if (constant == nullptr) return std::nullopt;
  auto values = values_per_channel(*constant, at.rank, at.axis, channels);
  if (!values) return std::nullopt;
  if (node.is("Sub")) {
    for (double& value : *values) value = -value;
  }
  return Addition{.input = input, .values = std::move(*values)};
}

ChainMap find_chains(const Graph& graph, const GraphIndex& index) {
  return ChainFinder(graph, index).find();
}

}  // namespace quantsearch::equalizing
