#include "quantsearch/precision.h"

#include <fmt/core.h>

#include <algorithm>

#include "precision/assign.h"
#include "precision/estimate.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/model/bodies.h"
#include "quantsearch/internal/model/compared_outputs.h"

namespace quantsearch {

namespace {

std::string describe(const NodeFormat& format, const QuantizeOptions& quantization) {
  if (format.keep_float) return "float";
  return fmt::format("{} activations and {} weights",
                     to_string(format.activation.value_or(quantization.activation_type)),
                     to_string(format.weight.value_or(quantization.weight_type)));
}

void require_options(const PrecisionOptions& options) {
  if (options.high.empty()) {
    throw InvalidInput("precision: no format above the low one is given, expected at least one");
  }
  if (std::ranges::find(options.high, options.low) != options.high.end()) {
    throw InvalidInput(
        "precision: the low format and a higher one are the same, expected two formats; set the "
        "target types");
  }
  const bool has_budget = options.max_high_layers || options.max_high_share ||
                          options.min_low_layers || options.max_bytes;
  const bool has_limit = has_budget || !options.thresholds.empty() || options.changed_classes ||
                         options.changed_rare_classes;
  if (!has_limit) {
    throw InvalidInput(
        "precision: no limit is given, so every assignment would do; expected a threshold, a share "
        "of changed classes, or a number or share of layers or a size");
  }
  if (options.goal == PrecisionGoal::best_in_budget && !has_budget) {
    throw InvalidInput(
        "precision: the best quality is asked for without a budget, so every layer would get the "
        "most "
        "precise format; expected a number or share of layers or a size");
  }
}

void require_output(const Model& model, const PrecisionOptions& options) {
  const auto outputs = static_cast<std::int64_t>(model.graph.outputs.size());
  if (!options.output) return;
  if (*options.output < 0 || *options.output >= outputs) {
    throw InvalidInput(
        fmt::format("precision: output index {}, expected 0 to {}", *options.output, outputs - 1));
  }
  const std::string& name = model.graph.outputs[static_cast<std::size_t>(*options.output)].name;
  for (const SkippedOutput& output : compared_outputs(model).skipped) {
    if (output.name != name) continue;
    throw InvalidInput(fmt::format(
        "precision: output index {} is '{}', which {} and is not compared, expected the "
        "index of another output",
        *options.output, name, why_not_compared(output.role)));
  }
}

void require_free_layers(const std::vector<Layer>& layers) {
  if (std::ranges::any_of(layers, &Layer::is_free)) return;
  throw InvalidInput(fmt::format(
      "precision: none of the {} layers is free to choose a format, expected at least one; look at "
      "the operator types, the included and excluded layers and node_formats",
      layers.size()));
}

std::string reason_of(const Layer& layer, int format, const Sensitivity& sensitivity,
                      std::size_t rank, std::size_t count) {
  if (!layer.is_free) return "the options fix its format";
  const std::string place = fmt::format("rank {} of {}, its low format adds {:.3g} to rel_l2",
                                        rank + 1, count, sensitivity.measured);
  return (format == 0 ? "the low format is sufficient: " : "needs a higher format: ") + place;
}

std::vector<LayerPrecision> table_of(const std::vector<Layer>& layers, const Assignment& assignment,
                                     const std::vector<Sensitivity>& sensitivities,
                                     const PrecisionOptions& options) {
  const std::vector<std::size_t> order = by_sensitivity(layers, sensitivities);
  std::vector<LayerPrecision> table;
  for (std::size_t at = 0; at < layers.size(); ++at) {
    const Layer& layer = layers[at];
    const int format = assignment[at];
    const auto rank = static_cast<std::size_t>(std::ranges::find(order, at) - order.begin());
    LayerPrecision& row = table.emplace_back();
    row.node = layer.members[0].label;
    row.op_type = layer.op_type;
    for (const Member& member : layer.members) row.members.push_back(member.label);
    row.is_high = layer.is_free && format > 0;
    if (layer.is_free)
      row.format = format == 0 ? options.low : options.high[static_cast<std::size_t>(format) - 1];
    row.estimates = sensitivities[at].estimates;
    row.sensitivity = sensitivities[at].measured;
    row.reason = reason_of(layer, format, sensitivities[at], rank, order.size());
  }
  return table;
}

/// True when the main graph has no layers because all of them are inside If, Loop and Scan.
bool has_layers_in_bodies_alone(const Model& model, const std::vector<Layer>& layers) {
  return layers.empty() && !bodies_of(model.graph).empty();
}

}  // namespace

PrecisionResult choose_precision(const Model& model, const CalibrationResult& calibration,
                                 const QuantizeOptions& quantization,
                                 const std::shared_ptr<const DataSource>& data,
                                 const PrecisionOptions& options, const PrecisionContext& context) {
  require_options(options);
  if (data == nullptr)
    throw InvalidInput("mixed precision: got no calibration data, expected at least one sample");
  require_output(model, options);
  const std::vector<Layer> layers = find_layers(model, quantization, options);
  if (has_layers_in_bodies_alone(model, layers)) {
    say(context.log, LogLevel::warning,
        "precision: every layer is inside a body of If, Loop or Scan and keeps the format of the "
        "configuration; only layers of the main graph can choose one");
    return {.quantized = quantize(model, calibration, quantization, context.pool),
            .node_formats = {},
            .layers = {}};
  }
  require_free_layers(layers);
  const auto probes = first_samples(data, options.probe_samples);

  std::vector<NodeFormat> formats = {options.low};
  formats.insert(formats.end(), options.high.begin(), options.high.end());
  const auto estimates =
      estimate_noise(model, calibration, quantization, layers, formats, *probes, context);
  std::vector<Sensitivity> sensitivities;
  for (const std::vector<double>& of_layer : estimates)
    sensitivities.push_back({.estimates = of_layer, .measured = 0});

  Trials probing(model, calibration, quantization, layers, options, context);
  probing.judge_on(probes);
  const auto noise = [&](const std::vector<bool>& of_layers, int format) {
    return added_noise(probing, of_layers, options, format);
  };
  const std::vector<double> added = noise(free_layers(layers), 0);
  for (std::size_t layer = 0; layer < layers.size(); ++layer)
    sensitivities[layer].measured = added[layer];
  Trials trials(model, calibration, quantization, layers, options, context);
  trials.judge_on(first_samples(data, options.samples));
  const Assignment assignment = assign_formats(trials, {.layers = layers,
                                                        .sensitivities = sensitivities,
                                                        .noise = noise,
                                                        .options = options,
                                                        .log = context.log});

  PrecisionResult result{.quantized = trials.model_of(assignment),
                         .node_formats = trials.formats_of(assignment),
                         .layers = table_of(layers, assignment, sensitivities, options)};
  require_quantized(result.quantized, layers.size());
  result.high_layers =
      static_cast<int>(std::ranges::count_if(result.layers, &LayerPrecision::is_high));
  result.scores = trials.run(assignment).scores;
  result.scores["size_bytes"] = static_cast<double>(serialized_bytes(result.quantized.model));
  result.evaluations = probing.evaluations() + trials.evaluations();
  say(context.log, LogLevel::info,
      fmt::format("precision: {} of {} layers have more than {}; {} models run", result.high_layers,
                  layers.size(), describe(options.low, quantization), result.evaluations));
  return result;
}

}  // namespace quantsearch
