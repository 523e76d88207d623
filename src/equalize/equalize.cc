#include "quantsearch/equalize.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "equalize/balance.h"
#include "equalize/chains.h"
#include "equalize/constant_writer.h"
#include "equalize/rescale.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

using equalizing::Balance;
using equalizing::ChainMap;
using equalizing::ConstantWriter;
using equalizing::LinearLayer;
using equalizing::Link;

void require_valid(const EqualizeOptions& options) {
  if (options.steps && *options.steps < 1) {
    throw InvalidInput(
        fmt::format("equalize: CLESteps is {}, expected at least 1, or -1 for as many as it takes",
                    *options.steps));
  }
  if (!(options.weight_threshold >= 0) || !(options.total_difference >= 0)) {
    throw InvalidInput(fmt::format(
        "equalize: CLEWeightThreshold is {} and CLETotalLayerDiffThreshold {}, expected at least 0",
        options.weight_threshold, options.total_difference));
  }
}

/// One bound of a Clip; it is an attribute before opset 11.
std::optional<float> bound_of(const GraphIndex& index, const Node& clip, const char* attribute,
                              std::size_t input) {
  if (clip.find_attribute(attribute) != nullptr) return clip.float_attribute(attribute, 0);
  const auto constant = equalizing::constant_of(index, clip.input(input));
  if (constant == nullptr || constant->type() != DataType::float32 || constant->size() != 1)
    return std::nullopt;
  return constant->values<float>()[0];
}

bool is_clip6(const GraphIndex& index, const Node& node) {
  return node.is("Clip") && bound_of(index, node, "min", 1) == 0.0F &&
         bound_of(index, node, "max", 2) == 6.0F;
}

void replace_clip6(Graph& graph, std::vector<std::string>& notes) {
  const GraphIndex index(graph);
  for (std::size_t position = 0; position < graph.nodes.size(); ++position) {
    Node& node = graph.nodes[position];
    if (!is_clip6(index, node)) continue;
    notes.push_back(fmt::format("{} from 0 to 6 is Relu now, which changes what the model computes",
                                describe_node(graph, static_cast<int>(position))));
    node.op_type = "Relu";
    node.inputs.resize(1);
    node.remove_attribute("min");
    node.remove_attribute("max");
  }
}

std::size_t at(int index) { return static_cast<std::size_t>(index); }

/// Calls take(node, addition, axis) for each addition of the link, in order.
template <typename Take>
void for_each_addition(const Graph& graph, const GraphIndex& index, const ChainMap& chains,
                       const Link& link, const Take& take) {
  const LinearLayer& layer = chains.layers[at(link.from)];
  auto axis = equalizing::output_axis(index, graph.nodes[at(layer.node)], layer);
  std::string tensor = graph.nodes[at(layer.node)].outputs[0];
  for (const int number : link.between) {
    const Node& node = graph.nodes[at(number)];
    if (std::ranges::find(link.additions, number) == link.additions.end()) {
      axis = equalizing::passes_scale(index, node, tensor, *axis, layer.layout.outputs);
    } else {
      take(number, *equalizing::addition(index, node, tensor, *axis, layer.layout.outputs), *axis);
    }
    tensor = node.outputs[0];
  }
}

/// [links][channels]: the sum of the additions of each link; empty for a link without any.
std::vector<std::vector<double>> added_by_links(const Graph& graph, const GraphIndex& index,
                                                const ChainMap& chains) {
  std::vector<std::vector<double>> added;
  for (const Link& link : chains.links) {
    std::vector<double> sum;
    for_each_addition(graph, index, chains, link,
                      [&](int, const equalizing::Addition& addition, equalizing::ChannelAxis) {
                        sum.resize(addition.values.size(), 0.0);
                        for (std::size_t channel = 0; channel < sum.size(); ++channel)
                          sum[channel] += addition.values[channel];
                      });
    added.push_back(std::move(sum));
  }
  return added;
}

bool scales_something(const std::vector<double>& scales) {
  return std::ranges::any_of(scales, [](double scale) { return scale != 1.0; });
}

void write_weights(ConstantWriter& writer, const ChainMap& chains, const Balance& balance) {
  static const std::vector<double> kOnes;
  std::vector<const std::vector<double>*> into(chains.layers.size(), &kOnes);
  std::vector<const std::vector<double>*> out_of(chains.layers.size(), &kOnes);
  for (std::size_t link = 0; link < chains.links.size(); ++link) {
    if (!scales_something(balance.scales[link])) continue;
    out_of[at(chains.links[link].from)] = &balance.scales[link];
    into[at(chains.links[link].to)] = &balance.scales[link];
  }
  for (std::size_t layer = 0; layer < chains.layers.size(); ++layer) {
    if (into[layer]->empty() && out_of[layer]->empty()) continue;
    const LinearLayer& linear = chains.layers[layer];
    writer.set(linear.node, 1, "", scaled_weight(linear, *out_of[layer], *into[layer]));
  }
}

/// Scales the bias of the first layer of a link and the constants added on the way.
void write_biases(Graph& graph, const GraphIndex& index, ConstantWriter& writer,
                  const ChainMap& chains, const Link& link, const std::vector<double>& scales) {
  const LinearLayer& head = chains.layers[at(link.from)];
  if (!head.bias.values.empty()) {
    writer.set(head.node, 2, "", equalizing::scaled_bias(head, scales));
    graph.nodes[at(head.node)].remove_attribute("beta");  // now part of the bias; absent means 1
  }
  struct Write {
    int node;
    std::size_t input;
    Tensor constant;
  };
  std::vector<Write> writes;  // written after the walk, which reads the old constants
  for_each_addition(
      graph, index, chains, link,
      [&](int node, equalizing::Addition addition, equalizing::ChannelAxis axis) {
        const double sign = graph.nodes[at(node)].is("Sub") ? -1 : 1;
        for (std::size_t channel = 0; channel < scales.size(); ++channel)
          addition.values[channel] *= sign * scales[channel];
        writes.push_back(Write{node, addition.input,
                               equalizing::along_axis(addition.values, axis.axis, axis.rank)});
      });
  for (Write& write : writes) writer.set(write.node, write.input, "", std::move(write.constant));
}

std::string note_of(const Graph& graph, const ChainMap& chains, const Link& link,
                    const std::vector<double>& scales) {
  const auto [smallest, largest] = std::ranges::minmax(scales);
  return fmt::format("{} and {} share {} channels, scaled by {:.4g} to {:.4g}",
                     describe_node(graph, chains.layers[at(link.from)].node),
                     describe_node(graph, chains.layers[at(link.to)].node), scales.size(), smallest,
                     largest);
}

}  // namespace

Equalized equalize(Model model, const EqualizeOptions& options) {
  require_valid(options);
  Equalized result{.model = std::move(model), .changed = false, .notes = {}};
  Graph& graph = result.model.graph;
  if (options.replace_clip6) replace_clip6(graph, result.notes);
  result.changed = !result.notes.empty();
  const GraphIndex index(graph);
  ChainMap chains = equalizing::find_chains(graph, index);
  const Balance balance =
      equalizing::balance(chains, added_by_links(graph, index, chains), options);
  ConstantWriter writer(graph, index);
  write_weights(writer, chains, balance);
  for (std::size_t link = 0; link < chains.links.size(); ++link) {
    if (!scales_something(balance.scales[link])) continue;
    write_biases(graph, index, writer, chains, chains.links[link], balance.scales[link]);
    result.notes.push_back(note_of(graph, chains, chains.links[link], balance.scales[link]));
    result.changed = true;
  }
  if (result.changed) {
    remove_unused_values(graph);
    result.notes.push_back(
        fmt::format("{} links in {} sweeps", chains.links.size(), balance.sweeps));
  }
  std::ranges::move(chains.notes, std::back_inserter(result.notes));
  return result;
}

bool can_equalize(const Model& model, const EqualizeOptions& options) {
  const GraphIndex index(model.graph);
  if (options.replace_clip6 && std::ranges::any_of(model.graph.nodes, [&](const Node& node) {
        return is_clip6(index, node);
      }))
    return true;
  return !equalizing::find_chains(model.graph, index).links.empty();
}

}  // namespace quantsearch
