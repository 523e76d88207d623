#include "quantize/parameters.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>

#include "quantize/bias.h"
#include "quantize/weight_ranges.h"

namespace quantsearch {

namespace {

/// One reading of a weight by a node.
struct Use {
  int node = 0;
  std::string weight;
  WeightOptions options;
  float factor = 1;  // Gemm: alpha
  std::vector<Range> ranges;
  std::string bias;                  // initializer, "" when there is none
  float bias_factor = 1;             // Gemm: beta
  std::optional<float> input_scale;  // when the bias becomes int32
  double widened = 1;
};

Tensor scaled(const Tensor& tensor, float factor) {
  if (factor == 1) return tensor;
  Tensor result = tensor;
  for (float& value : result.mutable_values<float>()) value *= factor;
  return result;
}

int channel_axis(const Node& node, const Tensor& weight) {
  const auto rank = static_cast<int>(weight.shape().size());
  if (rank < 2) return -1;
  if (node.is("Conv")) return 0;
  // With groups, axis 1 of ConvTranspose is not one output channel each.
  if (node.is("ConvTranspose")) return node.int_attribute("group", 1) == 1 ? 1 : -1;
  if (node.is("Gemm")) return node.int_attribute("transB", 0) != 0 ? 0 : 1;
  return rank == 2 ? 1 : -1;  // MatMul: the kernel takes one scale per column of a matrix
}

std::int64_t output_channels(const Node& node, const Tensor& weight) {
  const Shape& shape = weight.shape();
  if (node.is("Conv")) return shape[0];
  if (node.is("ConvTranspose")) return shape[1] * node.int_attribute("group", 1);
  if (node.is("Gemm") && node.int_attribute("transB", 0) != 0) return shape[0];
  return shape.back();
}

/// A bias that can have one int32 scale per channel; others (a matrix added by Gemm, a scalar) stay
/// float.
bool is_vector(const Tensor& bias, std::int64_t channels) {
  return bias.size() == channels && !bias.shape().empty() && bias.shape().back() == channels;
}

WeightOptions weight_options(const QuantizeOptions& options, int axis) {
  return {.type = options.weight_type,
          .symmetric = options.weight_symmetric,
          .reduce_range = options.reduce_range,
          .power_of_two = options.power_of_two,
          .power_of_two_rounding = options.power_of_two_rounding,
          .range = options.weight_range,
          .axis = options.per_channel ? axis : -1};
}

std::vector<Use> collect_uses(const Graph& graph, const GraphIndex& index, const Plan& plan,
                              const QuantizeOptions& options) {
  std::vector<Use> uses;
  for (std::size_t at = 0; at < graph.nodes.size(); ++at) {
    const NodePlan& node_plan = plan.nodes[at];
    if (!node_plan.quantized || !has_weight(node_plan.rule->kind)) continue;
    const Node& node = graph.nodes[at];
    const Tensor* weight = index.initializer(node.inputs[1]);
    if (weight == nullptr) continue;  // MatMul of two activations
    Use use{.node = static_cast<int>(at),
            .weight = node.inputs[1],
            .options = weight_options(options, channel_axis(node, *weight)),
            .factor = 1,
            .ranges = {},
            .bias = std::string(node.is("MatMul") ? "" : node.input(2)),
            .bias_factor = 1,
            .input_scale = std::nullopt,
            .widened = 1};
    if (node.is("Gemm")) {
      use.factor = node.float_attribute("alpha", 1);
      use.bias_factor = node.float_attribute("beta", 1);
    }
    if (node_plan.bias_add) use.bias = node_plan.bias_add->bias;
    uses.push_back(std::move(use));
  }
  return uses;
}

/// Runs `work` once per distinct key, in parallel, and returns for each use the result of its key.
template <typename Key, typename Result>
std::vector<std::shared_ptr<const Result>> once_per_key(
    const std::vector<Use>& uses, ThreadPool& pool, const std::function<Key(const Use&)>& key_of,
    const std::function<Result(const Use&)>& work) {
  std::vector<std::size_t> first_use;  // of each distinct key
  std::vector<std::size_t> slots(uses.size());
  std::map<Key, std::size_t> known;
  for (std::size_t use = 0; use < uses.size(); ++use) {
    const auto [entry, is_new] = known.try_emplace(key_of(uses[use]), first_use.size());
    if (is_new) first_use.push_back(use);
    slots[use] = entry->second;
  }
  std::vector<std::shared_ptr<const Result>> distinct(first_use.size());
  pool.parallel_for(static_cast<std::int64_t>(first_use.size()), [&](std::int64_t at, int) {
    const auto slot = static_cast<std::size_t>(at);
    distinct[slot] = std::make_shared<const Result>(work(uses[first_use[slot]]));
  });
  std::vector<std::shared_ptr<const Result>> results;
  for (const std::size_t slot : slots) results.push_back(distinct[slot]);
  return results;
}

struct RangeKey {
  std::string weight;
  int axis = -1;
  float factor = 1;
  std::vector<std::pair<double, double>> ranges;
  auto operator<=>(const RangeKey&) const = default;
};

RangeKey key_of(const Use& use) {
  RangeKey key{.weight = use.weight, .axis = use.options.axis, .factor = use.factor, .ranges = {}};
  for (const Range& range : use.ranges) key.ranges.emplace_back(range.low, range.high);
  return key;
}

/// Decides whether the bias becomes int32 and, if so, widens the weight ranges until it fits.
void make_room_for_bias(Use& use, const Graph& graph, const GraphIndex& index, const Plan& plan,
                        const Activations& activations, const QuantizeOptions& options) {
  const Tensor* bias = use.bias.empty() ? nullptr : index.initializer(use.bias);
  const auto input = activations.params.find(scaled_input(graph, index, plan, use.node));
  if (bias == nullptr || !options.quantize_bias || input == activations.params.end()) return;
  const auto& node = graph.nodes[static_cast<std::size_t>(use.node)];
  if (!is_vector(*bias, output_channels(node, *index.initializer(use.weight)))) return;
  use.input_scale = input->second.scales[0];
  use.widened =
      widen_for_bias(use.ranges, scaled(*bias, use.bias_factor), *use.input_scale, use.options);
}

LayerParameters layer_parameters(const Use& use,
                                 const std::shared_ptr<const QuantizedTensor>& weight,
                                 const GraphIndex& index) {
  LayerParameters layer{.weight = use.weight,
                        .quantized_weight = weight,
                        .bias = use.bias,
                        .quantized_bias = std::nullopt,
                        .float_bias = std::nullopt,
                        .note = ""};
  if (use.widened > 1) {
    layer.note = fmt::format(
        "its weight scale was enlarged up to {:.4g} times so that the int32 bias '{}' does not "
        "overflow",
        use.widened, use.bias);
  }
  if (use.bias.empty()) return layer;
  const Tensor bias = scaled(*index.initializer(use.bias), use.bias_factor);
  const std::vector<float> scales = bias_scales(use.input_scale.value_or(0), weight->params);
  if (use.input_scale && can_be_integer(scales)) {
    layer.quantized_bias = quantize_bias(bias.reshaped({bias.size()}), scales);
  } else if (use.bias_factor != 1) {
    layer.float_bias = bias;
  }
  return layer;
}

}  // namespace

std::string scaled_input(const Graph& graph, const GraphIndex& index, const Plan& plan, int node) {
  const std::string& input = graph.nodes[static_cast<std::size_t>(node)].inputs[0];
  const auto producer = index.producer(input);
  if (!producer) return input;
  const NodePlan& before = plan.nodes[static_cast<std::size_t>(*producer)];
  const bool merged = before.quantized && before.rule->kind == OperatorKind::padding;
  return merged ? graph.nodes[static_cast<std::size_t>(*producer)].inputs[0] : input;
}

std::map<int, LayerParameters> quantize_parameters(const Graph& graph, const GraphIndex& index,
                                                   const Plan& plan, const Activations& activations,
                                                   const QuantizeOptions& options,
                                                   ThreadPool& pool) {
  std::vector<Use> uses = collect_uses(graph, index, plan, options);
  const auto weight_of = [&](const Use& use) {
    return scaled(*index.initializer(use.weight), use.factor);
  };
  const auto ranges = once_per_key<RangeKey, std::vector<Range>>(
      uses, pool, key_of,
      [&](const Use& use) { return find_weight_ranges(weight_of(use), use.options); });
  for (std::size_t at = 0; at < uses.size(); ++at) {
    uses[at].ranges = *ranges[at];
    make_room_for_bias(uses[at], graph, index, plan, activations, options);
  }
  const auto weights = once_per_key<RangeKey, QuantizedTensor>(
      uses, pool, key_of,
      [&](const Use& use) { return quantize_in_ranges(weight_of(use), use.ranges, use.options); });
  std::map<int, LayerParameters> layers;
  for (std::size_t at = 0; at < uses.size(); ++at) {
    layers.emplace(uses[at].node, layer_parameters(uses[at], weights[at], index));
  }
  return layers;
}

}  // namespace quantsearch
