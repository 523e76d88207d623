#include "quantsearch/pipeline/quantize_model.h"

#include <algorithm>
#include <map>
#include <memory>

#include "quantsearch/base/processor.h"
#include "quantsearch/internal/base/stopwatch.h"
#include "quantsearch/runtime.h"

namespace quantsearch {

namespace {

// The share of the build time (of one second for models that take less) that the runs of the check
// may take. The whole check should add at most 30 %; because only its runs are timed, their budget
// is smaller (docs/delivery.md, bench/check_share.py).
constexpr double kShareOfCheck = 0.2;

/// Returns the float model for the comparison: the user's model, or the simplified one when the
/// types of the inputs have changed.
std::shared_ptr<const Model> compared_float(const Model& model, const Model& quantized,
                                            const SimplifyOptions& simplify, Pipeline& pipeline) {
  const auto same_type = [](const ValueInfo& a, const ValueInfo& b) {
    return a.name == b.name && a.type == b.type;
  };
  if (std::ranges::equal(model.graph.inputs, quantized.graph.inputs, same_type))
    return {std::shared_ptr<void>(), &model};
  return pipeline.simplified(simplify);
}

Value left_float_value(const std::vector<LeftFloat>& left_float) {
  Value::List rows;
  for (const LeftFloat& left : left_float) {
    Value::List nodes;
    for (const std::string& node : left.nodes) nodes.emplace_back(node);
    rows.push_back(Value::Map{{"nodes", nodes}, {"reason", left.reason}});
  }
  return rows;
}

Value output_value(const OutputNoise& output) {
  if (!output.skipped.empty())
    return Value::Map{{"output", output.output}, {"skipped", output.skipped}};
  Value value = Value::Map{
      {"output", output.output}, {"rel_l2", output.rel_l2}, {"worst_slice", output.worst_slice}};
  if (output.graph_rel_l2) value.set("graph_rel_l2", *output.graph_rel_l2);
  return value;
}

Value check_value(const DeliveryCheck& check, const std::vector<std::string>& warnings) {
  Value::List outputs;
  for (const OutputNoise& output : check.outputs) outputs.push_back(output_value(output));
  return Value::Map{{"samples", check.samples},
                    {"outputs", outputs},
                    {"latency", Value::Map{{"float_ms", check.latency.float_ms},
                                           {"quantized_ms", check.latency.quantized_ms},
                                           {"ratio", check.latency.ratio},
                                           {"pairs", check.latency.pairs}}},
                    {"warnings", Value::List(warnings.begin(), warnings.end())}};
}

}  // namespace

CheckedModel build_checked(const Settings& settings, const Model& model,
                           const DataSource& calibration, Pipeline& pipeline,
                           const BuildOptions& options) {
  const Stopwatch watch;
  CheckedModel result;
  const auto build = [&](const QuantizationConfig& config) {
    return pipeline.build(config, options.token);
  };
  const auto run = [&](Candidate& candidate) {
    if (!options.check) return;
    const Model& quantized = candidate.quantized->model;
    const auto float_model = compared_float(model, quantized, resolve(settings).simplify, pipeline);
    const double seconds = kShareOfCheck * std::max(1.0, watch.seconds());
    result.check = check_delivery(*float_model, quantized, calibration,
                                  {.seconds = seconds,
                                   .compare_with_graph = !multiplies_without_saturation(),
                                   .token = options.token});
  };
  result.made = build_runnable(settings, build, run);
  for (const LeftFloat& left : result.made.left_float)
    say(options.log, LogLevel::warning, to_string(left));
  if (result.check)
    result.warnings = delivery_warnings(*result.check, open_remedies(resolve(settings)));
  for (const std::string& warning : result.warnings) say(options.log, LogLevel::warning, warning);
  result.kernels = report_kernels(optimized_model(result.quantized().model));
  return result;
}

OpenRemedies open_remedies(const QuantizationConfig& config) {
  const QuantizeOptions& quantize = config.quantize;
  const bool is_wide =
      quantize.activation_type == DataType::uint16 || quantize.activation_type == DataType::int16;
  return {.on_cpu = quantize.target != Target::npu_cnn,
          .target_cpu = quantize.target != Target::cpu,
          .reduce_range = !quantize.reduce_range,
          .reconstruction = !config.finetune,
          .wide_activations = !is_wide,
          .fewer_operators = quantize.op_types.empty()};
}

Value layers_value(const std::vector<LayerRecord>& layers) {
  Value::List list;
  for (const LayerRecord& layer : layers) {
    list.push_back(Value::Map{{"node", layer.node},
                              {"op_type", layer.op_type},
                              {"quantized", layer.quantized},
                              {"reason", layer.reason},
                              {"computes_integers", layer.computes_integers}});
  }
  return list;
}

Value describe(const CheckedModel& checked, const Settings& settings, const Model& float_model) {
  Value stages(Value::Map{});
  for (const StageRecord& stage : checked.made.candidate.stages)
    stages.set(stage.name, stage.seconds);
  return Value::Map{
      {"quantization_config",
       to_value(with_excluded_nodes(settings, all_nodes(checked.made.left_float)))},
      {"weight_bytes", weight_bytes(checked.quantized().model.graph)},
      {"float_weight_bytes", weight_bytes(float_model.graph)},
      {"integer_kernels", checked.kernels.integer_kernels},
      {"float_kernels", checked.kernels.float_compute},
      {"check", checked.check ? check_value(*checked.check, checked.warnings) : Value()},
      {"left_float", left_float_value(checked.made.left_float)},
      {"stages", stages},
      {"layers", layers_value(checked.quantized().layers)}};
}

}  // namespace quantsearch
