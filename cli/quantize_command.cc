// quantsearch quantize: builds the model of one configuration.

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>

#include "check_text.h"
#include "common.h"
#include "configuration.h"
#include "layer_text.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/processor.h"
#include "quantsearch/base/value.h"
#include "quantsearch/evaluate/delivery_check.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/internal/base/stopwatch.h"
#include "quantsearch/internal/quantize/option_keys.h"
#include "quantsearch/pipeline/pipeline.h"
#include "quantsearch/pipeline/runnable.h"
#include "quantsearch/quantize/quantized_already.h"
#include "quantsearch/runtime.h"

namespace quantsearch::cli {

namespace {

struct QuantizeArguments {
  CommonOptions common;
  std::string model;
  DataOptionsText calibration;
  ConfigurationText configuration;
  bool requantize = false;
  std::string output;
  FixedInputs fixed;
  bool overwrite = false;
  bool no_check = false;
};

Configuration request_of(const QuantizeArguments& arguments) {
  Configuration request = configuration_of(arguments.configuration, arguments.fixed, "quantize");
  if (arguments.requantize) request.settings[std::string(keys::kRequantize)] = true;
  return request;
}

template <typename Write>
void with_way_out(const Write& write) {
  try {
    write();
  } catch (const IoError& error) {
    throw IoError(fmt::format("quantize: {}; choose another file with --output", error.what()));
  } catch (const InvalidInput& error) {
    throw InvalidInput(
        fmt::format("quantize: {}; choose another file with --output", error.what()));
  }
}

/// Checks the output file before minutes of work.
void require_output(const std::string& file, bool overwrite) {
  with_way_out([&] { require_place_for(file); });
  if (overwrite || !std::filesystem::exists(file_to_write(file))) return;
  throw InvalidInput(
      fmt::format("quantize: output file '{}' exists; add --overwrite to replace it, or choose "
                  "another file with --output",
                  file));
}

// The share of the build time (of one second for models that take less) that the runs of the check
// may take. The whole check should add at most 30 %; because only its runs are timed, their budget
// is smaller (docs/delivery.md, bench/check_share.py).
constexpr double kShareOfCheck = 0.2;

struct CheckedModel {
  RunnableCandidate made;
  std::optional<DeliveryCheck> check;  // absent with --no-check
};

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

/// Builds a model and checks that it runs, unless --no-check is given.
CheckedModel build_and_check(const QuantizeArguments& arguments, const Settings& settings,
                             const Model& model, const LoadedData& calibration, Pipeline& pipeline,
                             Context& context) {
  const Stopwatch watch;
  CheckedModel result;
  const auto build = [&](const QuantizationConfig& config) {
    return pipeline.build(config, context.token());
  };
  const auto run = [&](Candidate& candidate) {
    if (arguments.no_check) return;
    const Model& quantized = candidate.quantized->model;
    const auto float_model = compared_float(model, quantized, resolve(settings).simplify, pipeline);
    const double seconds = kShareOfCheck * std::max(1.0, watch.seconds());
    result.check = check_delivery(*float_model, quantized, *calibration.source,
                                  {.seconds = seconds,
                                   .compare_with_graph = !multiplies_without_saturation(),
                                   .token = context.token()});
  };
  result.made = build_runnable(settings, build, run);
  for (const LeftFloat& left : result.made.left_float)
    say(context.log(), LogLevel::warning, to_string(left));
  if (result.check) {
    for (const std::string& warning : delivery_warnings(*result.check))
      say(context.log(), LogLevel::warning, warning);
  }
  return result;
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

void print_json(const QuantizeArguments& arguments, const Settings& settings, const Model& model,
                const CheckedModel& checked, const KernelReport& kernels) {
  const QuantizedModel& quantized = *checked.made.candidate.quantized;
  Value stages(Value::Map{});
  for (const StageRecord& stage : checked.made.candidate.stages)
    stages.set(stage.name, stage.seconds);
  fmt::print(
      "{}\n",
      to_json(
          Value::Map{{"output", arguments.output},
                     {"quantization_config",
                      to_value(with_excluded_nodes(settings, all_nodes(checked.made.left_float)))},
                     {"weight_bytes", weight_bytes(quantized.model.graph)},
                     {"float_weight_bytes", weight_bytes(model.graph)},
                     {"integer_kernels", kernels.integer_kernels},
                     {"float_kernels", kernels.float_compute},
                     {"check", checked.check ? check_value(*checked.check) : Value()},
                     {"left_float", left_float_value(checked.made.left_float)},
                     {"stages", stages},
                     {"layers", layers_value(quantized.layers)}},
          1));
}

int run_quantize(const QuantizeArguments& arguments) {
  require_output(arguments.output, arguments.overwrite);
  const Configuration request = request_of(arguments);
  const Settings& settings = request.settings;
  // Invalid settings are refused before the model is read.
  const QuantizationConfig config = resolve(settings);
  const Model model = fix_inputs(load_model(arguments.model), request.fixed_inputs);
  if (!config.requantize) require_float_activations(model);  // checked before the data are opened
  const LoadedData calibration = open_data(arguments.calibration, model, request.fixed_inputs);
  Context context(arguments.common, {});
  Pipeline pipeline(model, calibration.source, context.pool(), context.budget(),
                    {.log = context.log()});
  const CheckedModel checked =
      build_and_check(arguments, settings, model, calibration, pipeline, context);
  const QuantizedModel& quantized = *checked.made.candidate.quantized;
  const KernelReport kernels = report_kernels(optimized_model(quantized.model));
  with_way_out([&] { save_model(quantized.model, arguments.output); });

  if (arguments.common.json) {
    print_json(arguments, settings, model, checked, kernels);
  } else if (!arguments.common.quiet) {
    fmt::print("{}", layers_text(quantized.layers));
    if (checked.check) fmt::print("{}", check_text(*checked.check));
    fmt::print("ONNX Runtime runs {} integer kernels and {} float ones\nwritten to {}\n",
               kernels.integer_kernels, kernels.float_compute, arguments.output);
  }
  return kDone;
}

}  // namespace

void add_quantize_command(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<QuantizeArguments>();
  CLI::App* command = app.add_subcommand("quantize", "Quantize a model with one configuration");
  add_model_and_calibration(*command, arguments->model, arguments->calibration);
  add_fix_option(*command, arguments->fixed);
  add_configuration_options(*command, arguments->configuration);
  command->add_flag(
      "--requantize", arguments->requantize,
      "Take a model whose activations are quantized already: quantize what it left float");
  command->add_option("--output", arguments->output, "Quantized model to write (.onnx)")
      ->required();
  command->add_flag("--no-check", arguments->no_check, "Do not run the model before it is written");
  command->add_flag("--overwrite", arguments->overwrite, "Replace the output file when it exists");
  add_common_options(*command, arguments->common);
  command->callback([arguments, &run] { run = [arguments] { return run_quantize(*arguments); }; });
}

}  // namespace quantsearch::cli
