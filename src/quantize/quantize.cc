#include "quantsearch/quantize.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "quantize/bodies.h"
#include "quantize/graph_options.h"
#include "quantize/numbers/activations.h"
#include "quantize/numbers/npu_rules.h"
#include "quantize/numbers/overrides.h"
#include "quantize/numbers/pair_safety.h"
#include "quantize/numbers/parameters.h"
#include "quantize/numbers/tables.h"
#include "quantize/numbers/unlike_parts.h"
#include "quantize/placement/kernel_forecast.h"
#include "quantize/placement/node_types.h"
#include "quantize/placement/nothing_to_quantize.h"
#include "quantize/placement/passthrough.h"
#include "quantize/placement/plan_view.h"
#include "quantize/quantized_layers.h"
#include "quantize/writing/emit.h"
#include "quantsearch/internal/quantize/option_keys.h"

namespace quantsearch {

namespace {

void require_type(std::string_view option, DataType type) {
  constexpr std::array kTypes = {DataType::int8, DataType::uint8, DataType::int16,
                                 DataType::uint16};
  if (std::ranges::find(kTypes, type) != kTypes.end()) return;
  throw Unsupported(
      fmt::format("quantize: option '{}' is {}, expected int8, uint8, int16 or uint16", option,
                  to_string(type)));
}

/// A model whose operators all belong to other domains needs no ONNX opset.
void require_opset(const Model& model, const QuantizeOptions& options) {
  const bool has_own_operators =
      std::ranges::any_of(model.graph.nodes, [](const Node& node) { return node.domain.empty(); });
  if (!has_own_operators) return;
  const std::int64_t needed = options.per_channel ? 13 : 10;
  if (model.opset() >= needed) return;
  throw InvalidInput(fmt::format(
      "quantize: the model has opset {}, expected {} or more for {} quantization; export it with a "
      "newer opset",
      model.opset(), needed, options.per_channel ? "per-channel" : "any"));
}

void require_format(const std::string& node, const NodeFormat& format) {
  const std::string option = fmt::format("{}['{}']", keys::kNodeFormats, node);
  if (format.activation) require_type(option, *format.activation);
  if (format.weight) require_type(option, *format.weight);
  if (format.keep_float ? !format.activation && !format.weight
                        : format.activation || format.weight) {
    return;
  }
  throw InvalidInput(fmt::format(
      "quantize: option '{}' {}, expected activation_type, weight_type or both, or Float alone",
      option, format.keep_float ? "has types and Float" : "is empty"));
}

/// The rules that make tensors share parameters support one type only.
void require_one_type(const QuantizeOptions& options) {
  const bool shares =
      options.npu.enabled || options.align.concat || options.align.pool || options.align.pad;
  const auto has_types = [](const auto& entry) { return !entry.second.keep_float; };
  if (!shares || std::ranges::none_of(options.node_formats, has_types)) return;
  throw Unsupported(
      "quantize: option 'node_formats' gives types to single nodes, which cannot be combined "
      "with the NPU rules or the Align options; leave out one of them");
}

void require_options(const Model& model, const QuantizeOptions& options) {
  require_type(keys::kActivationType, options.activation_type);
  require_type(keys::kWeightType, options.weight_type);
  for (const auto& [node, format] : options.node_formats) require_format(node, format);
  require_opset(model, options);
  require_passthrough(options.passthrough_op_types);
  require_npu_options(options);
  require_one_type(options);
}

std::vector<LayerRecord> layer_records(const PlanView& view) {
  std::vector<LayerRecord> records;
  for (int node = 0; node < view.node_count(); ++node) {
    const NodePlan& planned = view.planned(node);
    records.push_back({.node = node_label(view.graph, node),
                       .op_type = view.node(node).op_type,
                       .quantized = planned.quantized || planned.is_recurrent,
                       .reason = planned.quantized ? why_not_integer(view, node) : planned.reason,
                       .computes_integers = computes_integers(view.index, view.node(node))});
  }
  return records;
}

void add_note(std::vector<LayerRecord>& records, int node, const std::string& note) {
  if (note.empty()) return;
  std::string& reason = records[static_cast<std::size_t>(node)].reason;
  reason += reason.empty() ? note : "; " + note;
}

void add_notes(std::vector<LayerRecord>& records, const std::map<int, LayerParameters>& layers,
               const Activations& activations) {
  for (const auto& [node, layer] : layers) add_note(records, node, layer.note);
  for (const auto& [node, note] : activations.notes) add_note(records, node, note);
}

void add_unmet(std::vector<LayerRecord>& records, const std::map<int, std::string>& rules) {
  for (const auto& [node, rule] : rules) {
    add_note(records, node,
             fmt::format("the NPU's {} is not met after the rounds that MaxLoopNum allows", rule));
  }
}

/// A plan with the scales that follow from it.
struct Numbers {
  Plan plan;
  Activations activations;
  std::vector<LayerScales> scales;
  std::map<int, std::string> unmet;  // rule of the NPU that is not met, by node
};

/// The ranges show which operators would destroy a part of their values if all values shared one
/// step. These operators stay float, and the pairs around them are placed again. The loop ends
/// because each round leaves at least one more node float.
Numbers choose_numbers(const StoredConstants& stored, const GraphIndex& index,
                       const CalibrationResult& calibration, const QuantizeOptions& options,
                       ThreadPool& pool) {
  const Model& model = stored.model();
  LeftFloat left;
  while (true) {
    Numbers numbers{.plan = make_plan(model, index, options, left),
                    .activations = {},
                    .scales = {},
                    .unmet = {}};
    numbers.plan.stored = stored.tensors();
    const PlanView view{
        .graph = model.graph, .index = index, .plan = numbers.plan, .options = options};
    if (left.empty()) require_overrides(view);
    numbers.activations = own_params(view, calibration.ranges);
    LeftFloat more =
        unlike_nodes(view, numbers.activations, Parts(view, numbers.activations.spans));
    if (more.empty()) {
      settle_params(view, numbers.activations);
      numbers.scales = choose_layer_scales(view, numbers.activations, pool);
      NpuOutcome outcome = apply_npu_rules(view, numbers.activations, numbers.scales);
      numbers.unmet = std::move(outcome.unmet);
      more = std::move(outcome.unlike);
    }
    if (more.empty()) {
      choose_safe_scales(view, numbers.activations, calibration.extremes, numbers.scales, pool);
      return numbers;
    }
    left.merge(more);
  }
}

/// Quantizes one graph, which may be a body; `options` are those that name something in it.
QuantizedModel quantize_graph(const Model& model, const CalibrationResult& calibration,
                              const QuantizeOptions& options, ThreadPool& pool) {
  const StoredConstants stored(model);
  const GraphIndex index(stored.model().graph);
  const Numbers numbers = choose_numbers(stored, index, calibration, options, pool);
  const PlanView view{
      .graph = model.graph, .index = index, .plan = numbers.plan, .options = options};
  std::vector<LayerRecord> records = layer_records(view);
  add_unmet(records, numbers.unmet);
  const auto layers = quantize_parameters(view, numbers.activations, numbers.scales, pool);
  add_notes(records, layers, numbers.activations);
  const Tables tables = quantize_tables(view, layers, pool);
  Emitted emitted = emit({.model = model,
                          .view = view,
                          .activations = numbers.activations,
                          .layers = layers,
                          .tables = tables});
  std::vector<QuantizedLayer> linear_layers =
      quantized_layers(view, numbers.scales, numbers.activations, emitted.layers);
  return {.model = std::move(emitted.model),
          .layers = std::move(records),
          .tensors = std::move(emitted.tensors),
          .narrower = std::move(emitted.narrower),
          .linear_layers = std::move(linear_layers)};
}

/// The planned record of every node, those of bodies after those of the main graph.
std::vector<LayerRecord> planned_records(const Model& model, const QuantizeOptions& options,
                                         bool with_overrides) {
  const QuantizeGraph plan_graph = [with_overrides](const Model& of, const QuantizeOptions& own) {
    const StoredConstants stored(of);
    const GraphIndex index(stored.model().graph);
    const Plan plan = make_plan(stored.model(), index, own);
    const PlanView view{.graph = of.graph, .index = index, .plan = plan, .options = own};
    if (with_overrides) require_overrides(view);
    return QuantizedModel{
        .model = of, .layers = layer_records(view), .tensors = {}, .narrower = {}};
  };
  return quantize_with_bodies(model, options, nullptr, plan_graph).layers;
}

}  // namespace

QuantizedModel quantize(const Model& model, const Ranges& ranges, const QuantizeOptions& options,
                        ThreadPool& pool) {
  CalibrationResult calibration;
  for (const DataType type : activation_types(options)) calibration.ranges[type] = ranges;
  return quantize(model, calibration, options, pool);
}

std::vector<DataType> activation_types(const QuantizeOptions& options) {
  std::set<DataType> types = {options.activation_type};
  for (const auto& [node, format] : options.node_formats) {
    if (format.activation) types.insert(*format.activation);
  }
  return {types.begin(), types.end()};
}

QuantizedModel quantize(const Model& model, const CalibrationResult& calibration,
                        const QuantizeOptions& asked, ThreadPool& pool) {
  require_options(model, asked);
  const QuantizeOptions options = with_npu_types(asked);
  const auto of_activations = calibration.ranges.find(options.activation_type);
  return quantize_with_bodies(
      model, options,
      of_activations == calibration.ranges.end() ? nullptr : &of_activations->second,
      [&](const Model& graph, const QuantizeOptions& own) {
        return quantize_graph(graph, calibration, own, pool);
      });
}

void require_quantizable(const Model& model, const QuantizeOptions& asked) {
  require_options(model, asked);
  require_something_quantized(planned_records(model, with_npu_types(asked), true));
}

std::vector<FormatTarget> format_targets(const Model& model, const QuantizeOptions& asked) {
  require_options(model, asked);
  const QuantizeOptions options = main_graph_options(with_npu_types(asked), model.graph);
  const StoredConstants stored(model);
  const GraphIndex index(stored.model().graph);
  const Plan plan = make_plan(stored.model(), index, options);
  std::vector<FormatTarget> targets;
  for (std::size_t node = 0; node < plan.nodes.size(); ++node) {
    const NodePlan& planned = plan.nodes[node];
    if (!planned.quantized || planned.biased_matmul || passes_values_on(planned)) continue;
    targets.push_back(
        {.node = static_cast<int>(node),
         .has_weight = has_weight(planned.rule->kind) &&
                       index.initializer(model.graph.nodes[node].input(1)) != nullptr});
  }
  return targets;
}

std::vector<LayerRecord> plan_layers(const Model& model, const QuantizeOptions& asked) {
  require_options(model, asked);
  return planned_records(model, with_npu_types(asked), false);
}

}  // namespace quantsearch
