// quantsearch evaluate: compares a quantized model with its float model.

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "common.h"
#include "help.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/value.h"
#include "quantsearch/evaluate/comparison.h"
#include "terminal.h"

namespace quantsearch::cli {

namespace {

struct EvaluateArguments {
  CommonOptions common;
  std::string float_model;
  std::string quantized;
  DataOptionsText data;
  std::string preprocess;
  std::string labels;
  FixedInputs fixed;
  std::vector<std::string> metrics;
  std::int64_t batch = 0;
  bool latency = false;
  std::string device = "cpu";
  std::string evaluator;
};

std::vector<Metric> metrics_of(const EvaluateArguments& arguments) {
  std::vector<Metric> metrics;
  for (const std::string& name : arguments.metrics)
    metrics.push_back(of_option("--metric", name, parse_metric));
  return metrics;
}

void print(const Comparison& comparison) {
  const Scores& of_float = comparison.float_model;
  const Scores& of_candidate = comparison.candidate;
  fmt::print("{:<18}{:>16}{:>16}\n", "", "float", "quantized");
  for (const auto& [name, value] : of_candidate.metrics) {
    const auto found = of_float.metrics.find(name);
    fmt::print("{:<18}{:>16}{:>16.6g}\n", name,
               found == of_float.metrics.end() ? "" : fmt::format("{:.6g}", found->second), value);
  }
  fmt::print("{:<18}{:>16}{:>16}\n", "size (bytes)", of_float.size_bytes, of_candidate.size_bytes);
  if (of_candidate.metrics.contains(metric_info(Metric::worst_slice).name)) {
    for (const auto& [output, slices, axis] : comparison.sliced) {
      print_wrapped(
          fmt::format("worst_slice: output '{}' has {} slices of different scale along axis {}",
                      output, slices, axis));
    }
  }
  if (!of_candidate.latency) return;
  const Latency& before = of_float.latency.value();
  const Latency& after = *of_candidate.latency;
  fmt::print("{:<18}{:>16.4f}{:>16.4f}\n", "latency (ms)", before.median_ms, after.median_ms);
  print_wrapped(fmt::format(
      "  (medians of warm runs on one thread, one sample; middle 80 %: {:.4f} to {:.4f} and "
      "{:.4f} to {:.4f})",
      before.p10_ms, before.p90_ms, after.p10_ms, after.p90_ms));
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

Device device_of(const EvaluateArguments& arguments) {
  const std::vector<Device> devices = of_option("--device", arguments.device, parse_devices);
  if (devices.size() > 1)
    throw InvalidInput(fmt::format("--device: got '{}', expected one device", arguments.device));
  require_devices(devices);
  return devices.front();
}

/// The evaluator that the command line names: a task, a program, or neither.
GoalConfig evaluator_of(const EvaluateArguments& arguments) {
  if (arguments.evaluator.empty()) return {};
  const CommandLineValue given{
      .key = "search_evaluator", .value = arguments.evaluator, .flag = "--evaluator"};
  return parse_search_config(Value(Value::Map{}), {given}).goals;
}

/// Adds the scores that a program of the user gives to both models.
void add_program_scores(const GoalConfig& evaluator, const ComparisonInput& models,
                        Comparison& comparison, const Context& context) {
  if (!evaluator.command) return;
  const CustomEvaluator program = quantsearch::evaluator_of(*evaluator.command, context.log());
  comparison.float_model.metrics.merge(
      custom_scores(program, {}, models.float_model, context.token()));
  comparison.candidate.metrics.merge(custom_scores(program, {}, models.candidate, context.token()));
}

int run_evaluate(const EvaluateArguments& arguments) {
  const Model float_model = fix_inputs(load_model(arguments.float_model), arguments.fixed);
  const Model candidate = candidate_of(arguments);
  require_inputs(candidate, float_model);
  const GoalConfig evaluator = evaluator_of(arguments);
  const LoadedData data =
      open_data(arguments.data, float_model, arguments.fixed,
                {.limit = std::nullopt,
                 .preprocess = preprocess_of(arguments.preprocess, std::nullopt),
                 .threads = arguments.common.threads});
  const auto labels = arguments.labels.empty() ? data.labels : load_labels(arguments.labels, data);
  ComparisonOptions options{.metrics = metrics_of(arguments),
                            .batch = arguments.batch,
                            .latency = arguments.latency,
                            .device = device_of(arguments),
                            .task = evaluator.task};
  Context context(arguments.common, {});
  warn_about(data.remarks, context.log());
  options.token = context.token();
  options.log = context.log();
  const ComparisonInput input{
      .float_model = float_model, .candidate = candidate, .data = data.source, .labels = labels};
  Comparison comparison = compare_models(input, options, context.pool(), context.budget());
  add_program_scores(evaluator, input, comparison, context);
  if (arguments.common.json) {
    fmt::print("{}\n", to_json(to_value(comparison), 1));
  } else {
    print(comparison);
  }
  return kDone;
}

void add_measurement_options(CLI::App& command, EvaluateArguments& arguments) {
  constexpr const char* kGroup = "What is measured";
  std::string names;
  for (const MetricInfo& info : all_metrics()) names += (names.empty() ? "" : " ") + info.name;
  command.add_option("--metric", arguments.metrics, names + "; may be repeated")
      ->option_text("NAME")
      ->default_str("all")
      ->group(kGroup);
  command
      .add_option("--evaluator", arguments.evaluator,
                  "Also score both with a task, such as text, or with a program "
                  "(docs/evaluators.md)")
      ->option_text("WHAT")
      ->default_str("none")
      ->group(kGroup);
  command.add_option("--batch", arguments.batch, "Samples in a run")
      ->check(CLI::PositiveNumber)
      ->option_text("N")
      ->default_str("chosen by the model")
      ->group(kGroup);
  command.add_flag("--latency", arguments.latency, "Measure the latency of both models too")
      ->group(kGroup);
  command.add_option("--device", arguments.device, "Where both run: cpu, cuda:0 or openvino:CPU")
      ->option_text("NAME")
      ->default_str("cpu")
      ->group(kGroup);
}

}  // namespace

void add_evaluate_command(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<EvaluateArguments>();
  CLI::App* command =
      app.add_subcommand("evaluate", "Score a quantized model against its float model");
  command->add_option("FLOAT", arguments->float_model, "Float model (.onnx)")
      ->required()
      ->group(kInputGroup);
  command->add_option("QUANTIZED", arguments->quantized, "Quantized model (.onnx)")
      ->required()
      ->group(kInputGroup);
  command
      ->add_option("--data", arguments->data.path,
                   "Samples: .npz, .npy, or a folder of images, sounds or test_data_set_*")
      ->required()
      ->option_text("DATA")
      ->group(kInputGroup);
  add_limit_option(*command, "--limit", arguments->data.limit, "samples");
  add_labels_option(*command, arguments->labels);
  add_preprocess_option(*command, arguments->preprocess);
  add_fix_option(*command, arguments->fixed);
  add_measurement_options(*command, *arguments);
  add_common_options(*command, arguments->common);
  command->callback([arguments, &run] { run = [arguments] { return run_evaluate(*arguments); }; });
}

}  // namespace quantsearch::cli
