// quantsearch evaluate: compares a quantized model with its float model.

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "common.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/value.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/evaluate/own_noise.h"
#include "quantsearch/internal/base/names.h"

namespace quantsearch::cli {

namespace {

struct EvaluateArguments {
  CommonOptions common;
  std::string float_model;
  std::string quantized;
  DataOptionsText data;
  std::string labels;
  FixedInputs fixed;
  std::vector<std::string> metrics;
  std::int64_t batch = 0;
  bool latency = false;
  std::string device = "cpu";
};

std::vector<Metric> metrics_of(const EvaluateArguments& arguments, bool has_labels) {
  std::vector<Metric> metrics;
  for (const std::string& name : arguments.metrics)
    metrics.push_back(of_option("--metric", name, parse_metric));
  if (!metrics.empty()) return metrics;
  for (const MetricInfo& info : all_metrics()) {
    if (!info.needs_labels || has_labels) metrics.push_back(info.metric);
  }
  return metrics;
}

Value scores_value(const Scores& scores, const std::optional<Latency>& latency) {
  Value metrics(Value::Map{});
  for (const auto& [name, value] : scores.metrics) metrics.set(name, value);
  return Value::Map{{"scores", metrics},
                    {"size_bytes", scores.size_bytes},
                    {"latency_ms", latency ? Value(latency->median_ms) : Value()}};
}

void print_table(const Scores& of_float, const Scores& of_candidate) {
  fmt::print("{:<14}{:>16}{:>16}\n", "", "float", "quantized");
  for (const auto& [name, value] : of_candidate.metrics) {
    const auto found = of_float.metrics.find(name);
    fmt::print("{:<14}{:>16}{:>16.6g}\n", name,
               found == of_float.metrics.end() ? "" : fmt::format("{:.6g}", found->second), value);
  }
  fmt::print("{:<14}{:>16}{:>16}\n", "size (bytes)", of_float.size_bytes, of_candidate.size_bytes);
}

/// Returns the quantized model with the given inputs fixed. It may lack inputs that were already
/// fixed when it was built.
Model candidate_of(const EvaluateArguments& arguments) {
  Model model = load_model(arguments.quantized);
  FixedInputs fixed;
  for (const ValueInfo& input : model.graph.inputs) {
    const auto given = arguments.fixed.find(input.name);
    if (given != arguments.fixed.end()) fixed.insert(*given);
  }
  return fix_inputs(std::move(model), fixed);
}

void require_inputs(const Model& candidate, const Model& float_model) {
  for (const ValueInfo& input : float_model.graph.inputs) {
    const bool is_there = std::ranges::find(candidate.graph.inputs, input.name, &ValueInfo::name) !=
                          candidate.graph.inputs.end();
    if (is_there || float_model.graph.find_initializer(input.name) != nullptr) continue;
    throw InvalidInput(
        fmt::format("evaluate: the quantized model has no input '{0}', which the float model "
                    "takes; if it was made with a fixed "
                    "value, give --fix {0}=VALUE",
                    input.name));
  }
}

void warn_of(const OwnNoise& noise, const Context& context) {
  constexpr std::size_t kShown = 4;
  say(context.log(), LogLevel::warning,
      fmt::format("the float model itself is not deterministic: random numbers come from {}, and a "
                  "second run of it has rel_l2 {:.3g} "
                  "against the first, which no quantized model can go below; export the model "
                  "without them for a score that means more",
                  some_of(noise.nodes, kShown), noise.rel_l2));
}

/// Prints the outputs of the float model that contain slices of different scales.
void print_slices(const Reference& reference) {
  for (std::size_t output = 0; output < reference.slices().size(); ++output) {
    const OutputSlices& slices = reference.slices()[output];
    if (!slices.axis) continue;
    fmt::print("worst_slice: output '{}' has {} slices of different scale along axis {}\n",
               reference.output_names()[output], slices.energies.size(), *slices.axis);
  }
}

Device device_of(const EvaluateArguments& arguments) {
  const std::vector<Device> devices = of_option("--device", arguments.device, parse_devices);
  if (devices.size() > 1)
    throw InvalidInput(fmt::format("--device: got '{}', expected one device", arguments.device));
  require_devices(devices);
  return devices.front();
}

int run_evaluate(const EvaluateArguments& arguments) {
  const Model float_model = fix_inputs(load_model(arguments.float_model), arguments.fixed);
  const Model candidate = candidate_of(arguments);
  require_inputs(candidate, float_model);
  const LoadedData data = open_data(arguments.data, float_model, arguments.fixed);
  const auto labels = arguments.labels.empty() ? data.labels : load_labels(arguments.labels, data);
  const std::vector<Metric> metrics = metrics_of(arguments, labels.has_value());
  const Device device = device_of(arguments);
  Context context(arguments.common, {});
  const Reference reference(float_model, data.source, labels, context.pool(), context.budget(),
                            {.batch = arguments.batch,
                             .spill_folder = {},
                             .token = context.token(),
                             .log = context.log(),
                             .device = device});
  const Scores of_candidate =
      evaluate(candidate, reference, context.pool(),
               {.metrics = metrics, .output_weights = {}, .token = context.token()});
  const Scores of_float = reference.float_scores(metrics);
  const std::optional<OwnNoise> noise =
      own_noise(float_model, *data.source, device, context.token());
  if (noise) warn_of(*noise, context);
  std::optional<Latency> float_latency;
  std::optional<Latency> latency;
  if (arguments.latency) {
    const Batch sample = data.source->read(0, 1);
    const LatencyOptions options{.device = device, .token = context.token()};
    float_latency = measure_latency(float_model, sample, options);
    latency = measure_latency(candidate, sample, options);
  }
  if (arguments.common.json) {
    fmt::print(
        "{}\n",
        to_json(Value::Map{{"float", scores_value(of_float, float_latency)},
                           {"quantized", scores_value(of_candidate, latency)},
                           {"samples", data.source->size()},
                           {"float_rel_l2_against_itself", noise ? Value(noise->rel_l2) : Value()}},
                1));
    return kDone;
  }
  print_table(of_float, of_candidate);
  if (of_candidate.metrics.contains(metric_info(Metric::worst_slice).name)) print_slices(reference);
  if (latency) {
    fmt::print(
        "{:<14}{:>16.4f}{:>16.4f}   (median of warm runs on one thread, one sample; middle 80 %: "
        "{:.4f} to {:.4f}, {:.4f} to {:.4f})\n",
        "latency (ms)", float_latency->median_ms, latency->median_ms, float_latency->p10_ms,
        float_latency->p90_ms, latency->p10_ms, latency->p90_ms);
  }
  return kDone;
}

}  // namespace

void add_evaluate_command(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<EvaluateArguments>();
  CLI::App* command =
      app.add_subcommand("evaluate", "Score a quantized model against its float model");
  command->add_option("FLOAT", arguments->float_model, "Float model (.onnx)")->required();
  command->add_option("QUANTIZED", arguments->quantized, "Quantized model (.onnx)")->required();
  command
      ->add_option("--data", arguments->data.path,
                   "Data: .npz, .npy or a folder of test_data_set_*")
      ->required();
  command->add_option("--limit", arguments->data.limit, "Use the first N samples")
      ->check(CLI::PositiveNumber);
  command->add_option("--labels", arguments->labels,
                      "Class of each sample (.npy, .npz): gives top1, top5");
  add_fix_option(*command, arguments->fixed);
  command->add_option("--metric", arguments->metrics, "Metric, may be repeated (all)");
  command->add_option("--batch", arguments->batch, "Samples per run (chosen by the model)")
      ->check(CLI::PositiveNumber);
  command->add_flag("--latency", arguments->latency, "Measure both models' latency too");
  command->add_option("--device", arguments->device,
                      "Where both run: cpu (default), cuda:0 or openvino:CPU");
  add_common_options(*command, arguments->common);
  command->callback([arguments, &run] { run = [arguments] { return run_evaluate(*arguments); }; });
}

}  // namespace quantsearch::cli
