#include "equalize/smooth_inputs.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "equalize/chains.h"

namespace quantsearch::equalizing {

namespace {

std::optional<int> rank_of(const GraphIndex& index, std::string_view tensor) {
  const ValueInfo* value = index.value(tensor);
  if (value == nullptr || !value->dimensions) return std::nullopt;
  return static_cast<int>(value->dimensions->size());
}

/// True for a float32 constant that is a vector of `channels` values.
bool is_vector(const GraphIndex& index, std::string_view tensor, std::int64_t channels) {
  const auto constant = constant_of(index, tensor);
  return constant != nullptr && constant->type() == DataType::float32 &&
         constant->shape() == Shape{channels};
}

/// A source with the axis and number of its output channels.
struct Found {
  SmoothSource source;
  ChannelAxis at;
  std::int64_t channels = 0;
};

std::optional<Found> normalization(const GraphIndex& index, const Node& node, int number) {
  const bool is_last = node.is("LayerNormalization") || node.is("RMSNormalization");
  const bool is_first = node.is("BatchNormalization") || node.is("InstanceNormalization");
  if (!is_last && !is_first) return std::nullopt;
  const auto scale = constant_of(index, node.input(1));
  const auto rank = rank_of(index, node.outputs[0]);
  if (scale == nullptr || !rank || scale->shape().size() != 1) return std::nullopt;
  const std::int64_t channels = scale->size();
  const bool has_bias = !node.is("RMSNormalization") && !node.input(2).empty();
  const bool are_vectors = is_vector(index, node.input(1), channels) &&
                           (!has_bias || is_vector(index, node.input(2), channels));
  const std::int64_t axis = node.int_attribute("axis", -1);
  const bool is_over_last = !is_last || axis == -1 || axis == *rank - 1;
  if (!are_vectors || !is_over_last || node.int_attribute("training_mode", 0) != 0)
    return std::nullopt;
  return Found{
      .source = {.kind = SmoothSource::Kind::normalization, .node = number, .additions = {}},
      .at = {.axis = is_last ? *rank - 1 : 1, .rank = *rank},
      .channels = channels};
}

/// A Mul by one constant per channel. A Mul by a single number is left unchanged, because it may be
/// part of a pattern that the runtime recognizes (the half of a Gelu).
std::optional<Found> factor(const GraphIndex& index, const Node& node, int number) {
  if (!node.is("Mul")) return std::nullopt;
  const auto rank = rank_of(index, node.outputs[0]);
  for (const std::size_t input : {0U, 1U}) {
    const auto constant = constant_of(index, node.input(input));
    if (constant == nullptr || !rank || constant->type() != DataType::float32) continue;
    const Shape& shape = constant->shape();
    const auto widest = std::ranges::max_element(shape);
    if (widest == shape.end() || *widest != constant->size() || *widest < 2) continue;
    const int axis = *rank - static_cast<int>(shape.end() - widest);
    return Found{.source = {.kind = SmoothSource::Kind::factor,
                            .node = number,
                            .constant = input,
                            .additions = {}},
                 .at = {.axis = axis, .rank = *rank},
                 .channels = *widest};
  }
  return std::nullopt;
}

class SmoothFinder {
 public:
  SmoothFinder(const Graph& graph, const GraphIndex& index) : graph_(graph), index_(index) {}

  SmoothMap find() {
    for (int number = 0; number < static_cast<int>(graph_.nodes.size()); ++number)
      add_layer(number);
    // A later source is nearer to the tensor, so it replaces an earlier one.
    for (int number = 0; number < static_cast<int>(graph_.nodes.size()); ++number) {
      if (auto found = source_at(number)) follow(std::move(*found));
    }
    group_inputs();
    return std::move(map_);
  }

 private:
  [[nodiscard]] const Node& node(int number) const {
    return graph_.nodes[static_cast<std::size_t>(number)];
  }

  void add_layer(int number) {
    auto layer = linear_layer(graph_, index_, number);
    if (!layer) return;
    layer_of_[number] = static_cast<int>(map_.layers.size());
    map_.layers.push_back(std::move(*layer));
    const LinearLayer& added = map_.layers.back();
    const Node& reader = node(number);
    const std::string tensor(reader.input(0));
    const bool is_transposed = reader.is("Gemm") && reader.int_attribute("transA", 0) != 0;
    if (is_transposed || added.layout.inputs < 2 || index_.initializer(tensor) != nullptr) return;
    ChannelAxis at{.axis = 1, .rank = static_cast<int>(added.weight->shape().size())};
    if (reader.is("MatMul")) {
      const int rank = rank_of(index_, tensor).value_or(0);
      at = {.axis = rank - 1, .rank = rank};
    }
    const auto [entry, is_new] = input_of_.try_emplace(std::tuple(tensor, reader.is("MatMul")),
                                                       static_cast<int>(map_.inputs.size()));
    if (is_new) {
      map_.inputs.push_back({.tensor = tensor,
                             .at = at,
                             .channels = added.layout.inputs,
                             .layers = {},
                             .source = std::nullopt});
    }
    map_.inputs[static_cast<std::size_t>(entry->second)].layers.push_back(layer_of_[number]);
  }

  [[nodiscard]] std::optional<Found> source_at(int number) const {
    if (auto found = normalization(index_, node(number), number)) return found;
    if (auto found = factor(index_, node(number), number)) return found;
    const auto entry = layer_of_.find(number);
    if (entry == layer_of_.end()) return std::nullopt;
    const LinearLayer& layer = map_.layers[static_cast<std::size_t>(entry->second)];
    const auto at = output_axis(index_, node(number), layer);
    // A weight with other readers gets its scales from the tensors that they read.
    const bool is_alone = index_.consumers(node(number).input(1)).size() == 1 &&
                          !index_.is_graph_output(node(number).input(1));
    if (!layer.bias.is_readable || !at || !is_alone) return std::nullopt;
    return Found{.source = {.node = number, .layer = entry->second, .additions = {}},
                 .at = *at,
                 .channels = layer.layout.outputs};
  }

  void follow(Found found) {
    std::string tensor = node(found.source.node).outputs[0];
    std::optional<ChannelAxis> at = found.at;
    while (at) {
      if (SmoothInput* input = input_at(tensor, *at, found.channels)) {
        input->source = std::move(found.source);
        return;
      }
      if (!has_one_reader(graph_, index_, tensor)) return;
      const int reader = index_.consumers(tensor)[0];
      if (addition(index_, node(reader), tensor, *at, found.channels)) {
        found.source.additions.push_back({.node = reader, .at = *at});
      } else {
        at = passes_scale(index_, node(reader), tensor, *at, found.channels);
      }
      tensor = node(reader).outputs[0];
    }
  }

  /// The smooth input for this tensor when only its layers read it, each of them once.
  SmoothInput* input_at(const std::string& tensor, ChannelAxis at, std::int64_t channels) {
    if (index_.is_graph_output(tensor)) return nullptr;
    for (SmoothInput& input : map_.inputs) {
      if (input.tensor != tensor || input.at != at || input.channels != channels) continue;
      const auto readers = index_.consumers(tensor);
      const bool reads_once = std::ranges::all_of(readers, [&](int reader) {
        return std::ranges::count(node(reader).inputs, tensor) == 1;
      });
      return readers.size() == input.layers.size() && reads_once ? &input : nullptr;
    }
    return nullptr;
  }

  void group_inputs() {
    std::vector<int> group_of(map_.inputs.size());
    std::iota(group_of.begin(), group_of.end(), 0);
    std::map<std::tuple<std::string, WeightLayout>, int> first_reader;
    for (int input = 0; input < static_cast<int>(map_.inputs.size()); ++input) {
      for (const int layer : map_.inputs[static_cast<std::size_t>(input)].layers) {
        const LinearLayer& linear = map_.layers[static_cast<std::size_t>(layer)];
        const std::string weight(node(linear.node).input(1));
        const auto [entry, is_new] =
            first_reader.try_emplace(std::tuple(weight, linear.layout), input);
        if (is_new) continue;
        const int into = group_of[static_cast<std::size_t>(entry->second)];
        const int from = group_of[static_cast<std::size_t>(input)];
        std::ranges::replace(group_of, std::max(into, from), std::min(into, from));
      }
    }
    for (int group = 0; group < static_cast<int>(map_.inputs.size()); ++group) {
      std::vector<int> members;
      for (int input = group; input < static_cast<int>(map_.inputs.size()); ++input)
        if (group_of[static_cast<std::size_t>(input)] == group) members.push_back(input);
      if (!members.empty()) map_.groups.push_back(std::move(members));
    }
  }

  const Graph& graph_;
  const GraphIndex& index_;
  SmoothMap map_;
  std::map<int, int> layer_of_;                            // node -> index into SmoothMap::layers
  std::map<std::tuple<std::string, bool>, int> input_of_;  // tensor, read by MatMul -> input
};

}  // namespace

SmoothMap find_smooth_inputs(const Graph& graph, const GraphIndex& index) {
  return SmoothFinder(graph, index).find();
}

}  // namespace quantsearch::equalizing
