// A position p is the negative exponent of a scale 2^-p. The hardware multiplies integers, adds
// biases and shifts, and its shifters have limits (AMD's DPU, as Quark's XINT8 describes them):
//
//   read   Add, Sub           max(p_in) - min(p_in)             in [0, 7]
//   write  Add, Sub           min(p_in) - p_out                 in [-7, 25]
//   write  Mul                sum(p_in) - p_out                 in [0, 32]
//   cut    Conv, Gemm, ...    p_w + p_in - p_out                in [0, 16]
//   bias   the same           p_w + p_in - p_b                  in [min(0, cut - 16), 15];
//                                                               from 0 before a LeakyRelu
//   swish  x * hardsigmoid(x) sum(p_in) - p_out                 in [0, 15]
//   HardSigmoid               p_in in [0, 15], p_out >= 7, 14 + p_in - p_out in [0, 31]
//   Concat, pools, Pad        all positions equal (the least)
//
// We differ in two points. A rule that is not met lowers a position here, which never clips a
// value, whereas Quark may raise one. Weights and biases are quantized again from float, whereas
// Quark changes only the scale, which multiplies them by a power of two. Positions only decrease
// (except at a HardSigmoid, which saturates at 3), so the rounds end.

#include "quantize/numbers/npu_rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "quantize/numbers/overrides.h"
#include "quantize/numbers/shared_params.h"
#include "quantize/numbers/unlike_parts.h"

namespace quantsearch {

namespace {

constexpr const char* kAlignPool = "AlignPool";

/// The types quantized for such an NPU in addition to the default set.
constexpr std::array<std::string_view, 26> kNpuTypes = {"Add",
                                                        "AveragePool",
                                                        "BatchNormalization",
                                                        "Concat",
                                                        "ConvTranspose",
                                                        "Div",
                                                        "Erf",
                                                        "GlobalAveragePool",
                                                        "HardSigmoid",
                                                        "InstanceNormalization",
                                                        "LayerNormalization",
                                                        "LeakyRelu",
                                                        "LpNormalization",
                                                        "Max",
                                                        "MaxPool",
                                                        "Min",
                                                        "Mul",
                                                        "PRelu",
                                                        "Pad",
                                                        "ReduceMean",
                                                        "Resize",
                                                        "Sigmoid",
                                                        "Softmax",
                                                        "SpaceToDepth",
                                                        "Sub",
                                                        "Tanh"};

int position_of(const TensorParams& params, const std::string& tensor) {
  const int exponent = std::ilogb(params.scales[0]);
  if (std::ldexp(1.0F, exponent) == params.scales[0]) return -exponent;
  throw InvalidInput(
      fmt::format("quantize: enable_npu_cnn: tensor '{}' has the scale {}, expected a power of two",
                  tensor, params.scales[0]));
}

TensorParams at_position(TensorParams params, int position) {
  params.scales[0] = std::ldexp(1.0F, -position);
  return params;
}

class NpuRules {
 public:
  NpuRules(const PlanView& view, Activations& activations, std::vector<LayerScales>& layers)
      : view_(view),
        activations_(activations),
        parts_(view, activations.spans),
        shared_(view, activations) {
    for (LayerScales& layer : layers) layers_[layer.node] = &layer;
  }

  /// Nodes whose rules would destroy a tensor, with the reason.
  [[nodiscard]] const LeftFloat& unlike() const { return unlike_; }

  /// Applies all rules once. Returns, by node, the rule that changed something last; empty when all
  /// rules hold.
  [[nodiscard]] std::map<int, std::string> round() {
    moved_.clear();
    const AlignOptions& align = view_.options.align;
    const NpuOptions& npu = view_.options.npu;
    if (align.concat) each("AlignConcat", &NpuRules::align_concat);
    if (align.pool) each(kAlignPool, &NpuRules::align_pool);
    if (align.pad) each("AlignPad", &NpuRules::align_pad);
    if (!npu.limitation_check) return moved_;
    if (npu.shift_read) each("AdjustShiftRead", &NpuRules::shift_read);
    if (npu.shift_write) each("AdjustShiftWrite", &NpuRules::shift_write);
    if (npu.shift_cut) each("AdjustShiftCut", &NpuRules::shift_cut);
    if (npu.shift_bias) each("AdjustShiftBias", &NpuRules::shift_bias);
    if (npu.hard_sigmoid) each("AdjustHardSigmoid", &NpuRules::hard_sigmoid);
    if (npu.shift_swish) each("AdjustShiftSwish", &NpuRules::shift_swish);
    return moved_;
  }

 private:
  using Rule = void (NpuRules::*)(int);

  void each(const std::string& name, Rule rule) {
    for (int node = 0; node < view_.node_count(); ++node) {
      if (!view_.planned(node).quantized) continue;
      rule_ = name;
      node_ = node;
      (this->*rule)(node);
    }
  }

  [[nodiscard]] const Node& at(int node) const { return view_.node(node); }
  [[nodiscard]] std::string described() const {
    return fmt::format("{} of {}", rule_, describe_node(view_.graph, node_));
  }
  [[nodiscard]] int position(const std::string& tensor) const {
    return position_of(*shared_.find(tensor), tensor);
  }
  /// The inputs and the output of a node that are quantized.
  struct Ends {
    std::vector<std::string> inputs;
    std::string output;
  };
  [[nodiscard]] std::optional<Ends> ends_of(int node) const {
    const auto output = shared_.output_of(node);
    Ends ends{.inputs = shared_.inputs_of(node), .output = output.value_or("")};
    if (!output || shared_.find(*output) == nullptr || ends.inputs.empty()) return std::nullopt;
    return ends;
  }

  [[nodiscard]] std::optional<Part> lost_at(const std::string& tensor, int new_position) const {
    if (new_position == position(tensor)) return std::nullopt;
    for (const std::string& member : shared_.sharing(tensor)) {
      if (auto lost = parts_.lost_in(member, std::ldexp(1.0F, -new_position))) return lost;
    }
    return std::nullopt;
  }

  /// Gives `tensor` the position that an operator needs because it moves or adds integers of one
  /// position. A tensor that this would destroy keeps its position: the rule is then not applied to
  /// a pool, and other operators stay float.
  void unite(const std::string& tensor, int position) {
    const auto lost = lost_at(tensor, position);
    if (!lost) return move(tensor, position);
    if (rule_ == kAlignPool) {
      activations_.notes.emplace(
          node_, fmt::format("'{}' keeps its own position, because that of {} would leave '{}' {}",
                             tensor, rule_, lost->tensor, steps_text(*lost)));
    } else {
      unlike_.try_emplace(node_, fmt::format("the position that {} needs would leave '{}' {}",
                                             rule_, lost->tensor, steps_text(*lost)));
    }
  }

  void move(const std::string& tensor, int position) {
    if (shared_.set(tensor, at_position(*shared_.find(tensor), position), described()))
      moved_[node_] = rule_;
  }

  [[nodiscard]] const std::string& lowest(const std::vector<std::string>& tensors) const {
    return *std::ranges::min_element(tensors, {},
                                     [&](const std::string& tensor) { return position(tensor); });
  }
  [[nodiscard]] const std::string& highest(const std::vector<std::string>& tensors) const {
    return *std::ranges::max_element(tensors, {},
                                     [&](const std::string& tensor) { return position(tensor); });
  }

  void align_all(int node) {
    const auto ends = ends_of(node);
    if (!ends) return;
    std::vector<std::string> all = ends->inputs;
    all.push_back(ends->output);
    const int least = position(lowest(all));
    for (const std::string& tensor : all) unite(tensor, least);
  }
  void align_concat(int node) {
    if (at(node).is("Concat")) align_all(node);
  }
  void align_pool(int node) {
    if (at(node).is("AveragePool") || at(node).is("GlobalAveragePool")) align_all(node);
  }
  void align_pad(int node) {
    if (at(node).is("Pad")) align_all(node);
  }

  [[nodiscard]] static bool adds(const Node& node) { return node.is("Add") || node.is("Sub"); }

  void shift_read(int node) {
    constexpr int kLargest = 7;
    const auto ends = ends_of(node);
    if (!adds(at(node)) || is_part(node) || !ends) return;
    const int least = position(lowest(ends->inputs));
    for (const std::string& input : ends->inputs)
      unite(input, std::min(position(input), least + kLargest));
  }

  void shift_write(int node) {
    const auto ends = ends_of(node);
    if (!ends || is_part(node)) return;
    if (adds(at(node))) {
      const std::string& least = lowest(ends->inputs);
      move(ends->output, std::min(position(ends->output), position(least) + 7));
      move(least, std::min(position(least), position(ends->output) + 25));
    } else if (at(node).is("Mul")) {
      limit_product(node, *ends, 32);
    }
  }

  /// sum(p_in) - p_out in [0, largest].
  void limit_product(int node, const Ends& ends, int largest) {
    int sum = 0;
    for (const std::string& input : at(node).inputs) sum += position(input);
    move(ends.output, std::min(position(ends.output), sum));
    const int excess = sum - position(ends.output) - largest;
    const std::string& finest = highest(ends.inputs);
    if (excess > 0) move(finest, position(finest) - excess);
  }

  /// True for the Add of a MatMul's bias and for followers, which belong to the node before them.
  [[nodiscard]] bool is_part(int node) const {
    const NodePlan& plan = view_.planned(node);
    return plan.biased_matmul || plan.follows;
  }

  [[nodiscard]] LayerScales* layer_of(int node) const {
    const auto found = layers_.find(node);
    return found == layers_.end() || shared_.find(found->second->input) == nullptr ? nullptr
                                                                                   : found->second;
  }

  void move_weight(LayerScales& layer, int position) {
    if (position_of(layer.params, layer.weight) == position) return;
    require_free(layer.wanted, layer.weight, position);
    layer.params = at_position(layer.params, position);
    moved_[node_] = rule_;
  }

  void require_free(const TensorOverride* wanted, const std::string& tensor, int position) const {
    if (wanted == nullptr || !fixes_scales(*wanted)) return;
    throw InvalidInput(fmt::format(
        "quantize: TensorQuantOverrides of '{}' fixes its scale, but {} needs {}; leave one of the "
        "two out",
        tensor, described(), std::ldexp(1.0F, -position)));
  }

  /// p_w + p_in, the position of the accumulator.
  [[nodiscard]] int product_position(const LayerScales& layer) const {
    return position_of(layer.params, layer.weight) + position(layer.input);
  }

  /// An output finer than the accumulator is not more exact. Weights finer than the largest cut
  /// lose the bits that are shifted out anyway.
  void shift_cut(int node) {
    constexpr int kLargest = 16;
    LayerScales* layer = layer_of(node);
    const auto output = shared_.output_of(node);
    if (layer == nullptr || !output || shared_.find(*output) == nullptr) return;
    move(*output, std::min(position(*output), product_position(*layer)));
    const int excess = product_position(*layer) - position(*output) - kLargest;
    if (excess > 0) move_weight(*layer, position_of(layer->params, layer->weight) - excess);
  }

  void shift_bias(int node) {
    constexpr int kLargest = 15;
    LayerScales* layer = layer_of(node);
    if (layer == nullptr || layer->bias_form != BiasForm::own) return;
    const auto output = shared_.output_of(node);
    const bool has_output = output && shared_.find(*output) != nullptr;
    const int cut = has_output ? product_position(*layer) - position(*output) : 0;
    const int least = before_leaky_relu(node) ? 0 : std::min(0, cut - 16);
    const int bias = position_of(layer->bias_params, layer->bias);
    const int shift = product_position(*layer) - bias;
    if (shift > kLargest) {
      move_weight(*layer, position_of(layer->params, layer->weight) - (shift - kLargest));
    } else if (shift < least) {
      const int position = product_position(*layer) - least;
      require_free(layer->wanted_bias, layer->bias, position);
      layer->bias_params = at_position(layer->bias_params, position);
      moved_[node_] = rule_;
    }
  }

  [[nodiscard]] bool before_leaky_relu(int node) const {
    while (const auto next = shared_.continuation_of(node)) node = *next;
    if (at(node).is("LeakyRelu")) return true;
    const auto reader = only_reader(view_, at(node).outputs[0]);
    return reader && at(*reader).is("LeakyRelu");
  }

  void hard_sigmoid(int node) {
    const auto ends = ends_of(node);
    if (!at(node).is("HardSigmoid") || !ends) return;
    const std::string& input = ends->inputs[0];
    move(input, std::clamp(position(input), 0, 15));
    move(ends->output, std::clamp(position(ends->output), 7, 14 + position(input)));
  }

  /// True for a Mul of x and the HardSigmoid (with its scaling) of x.
  [[nodiscard]] bool is_swish(int node) const {
    if (!at(node).is("Mul") || is_part(node)) return false;
    const auto gates = [&](std::size_t gate) {
      auto producer = view_.index.producer(at(node).inputs[gate]);
      if (producer && view_.planned(*producer).follows) producer = view_.planned(*producer).follows;
      return producer && at(*producer).is("HardSigmoid") &&
             at(*producer).inputs[0] == at(node).inputs[1 - gate];
    };
    return gates(0) || gates(1);
  }
  void shift_swish(int node) {
    const auto ends = ends_of(node);
    if (ends && is_swish(node)) limit_product(node, *ends, 15);
  }

  const PlanView& view_;
  Activations& activations_;
  Parts parts_;
  SharedParams shared_;
  LeftFloat unlike_;
  std::map<int, LayerScales*> layers_;
  std::map<int, std::string> moved_;
  std::string rule_;
  int node_ = 0;
};

}  // namespace

void require_npu_options(const QuantizeOptions& options) {
  if (!options.npu.enabled) return;
  const auto need = [](bool met, std::string_view what) {
    if (met) return;
    throw InvalidInput(fmt::format("quantize: enable_npu_cnn needs {}", what));
  };
  need(options.power_of_two, "scales that are powers of two");
  need(options.activation_symmetric && options.weight_symmetric,
       "symmetric activations and weights");
  need(!options.per_channel, "weights per tensor");
  need(!options.reduce_range, "the whole range of the weights");
  need(options.weight_type == DataType::int8, "weights of type int8");
}

QuantizeOptions with_npu_types(QuantizeOptions options) {
  if (!options.npu.enabled || !options.op_types.empty()) return options;
  for (const std::string_view type : kNpuTypes) {
    if (std::ranges::find(options.exclude_op_types, type) == options.exclude_op_types.end())
      options.extra_op_types.emplace_back(type);
  }
  return options;
}

NpuOutcome apply_npu_rules(const PlanView& view, Activations& activations,
                           std::vector<LayerScales>& layers) {
  if (!view.options.npu.enabled) return {};
  NpuRules rules(view, activations, layers);
  for (int round = 0; round < view.options.align.max_loops; ++round) {
    if (rules.round().empty()) return {.unmet = {}, .unlike = rules.unlike()};
  }
  // The rules that are not met are those that one more round, on copies, would apply.
  Activations next_activations = activations;
  std::vector<LayerScales> next_layers = layers;
  return {.unmet = NpuRules(view, next_activations, next_layers).round(), .unlike = rules.unlike()};
}

}  // namespace quantsearch
