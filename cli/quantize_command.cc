// quantsearch quantize: one configuration, one model.

#include <fmt/core.h>

#include <cstdio>
#include <map>

#include "common.h"
#include "layer_text.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/value.h"
#include "quantsearch/pipeline/pipeline.h"
#include "quantsearch/runtime.h"

namespace quantsearch::cli {

namespace {

struct QuantizeArguments {
  CommonOptions common;
  std::string model;
  DataOptionsText calibration;
  std::string config;
  std::string preset;
  std::string target;
  std::string output;
  FixedInputs fixed;
};

/// What a configuration file or the arguments say about one quantization.
struct Request {
  Settings settings;
  FixedInputs fixed_inputs = {};
};

Request request_of(const QuantizeArguments& arguments) {
  if (!arguments.config.empty() && !arguments.preset.empty()) {
    throw InvalidInput("quantize: got both --config and --preset, expected one; a configuration file may name a preset itself");
  }
  Request request;
  std::optional<Settings> settings;
  if (!arguments.preset.empty()) settings = settings_from(Value(arguments.preset));
  if (!arguments.config.empty()) {
    AutoSearchConfig file = parse_search_config(load_config_file(arguments.config));
    settings = std::move(file.base);
    request.fixed_inputs = std::move(file.fixed_inputs);
  }
  for (const auto& [name, value] : arguments.fixed) request.fixed_inputs[name] = value;
  if (!arguments.target.empty()) {
    request.settings = for_target(arguments.target, std::move(settings));
  } else {
    request.settings = settings ? *settings : settings_from(Value());
  }
  return request;
}

void save(const Model& model, const std::string& file) {
  try {
    save_model(model, file);
  } catch (const IoError& error) {
    throw IoError(fmt::format("quantize: {}; choose another file with --output", error.what()));
  }
}

int run_quantize(const QuantizeArguments& arguments) {
  const Request request = request_of(arguments);
  const QuantizationConfig config = resolve(request.settings);
  const Model model = fix_inputs(load_model(arguments.model), request.fixed_inputs);
  const LoadedData calibration = open_data(arguments.calibration, model, request.fixed_inputs);
  Context context(arguments.common, {});
  Pipeline pipeline(model, calibration.source, context.pool(), context.budget(), {.log = context.log()});
  const Candidate candidate = pipeline.build(config, context.token());
  const Model& quantized = candidate.quantized->model;
  save(quantized, arguments.output);
  const KernelReport kernels = report_kernels(optimized_model(quantized));

  if (arguments.common.json) {
    Value stages(Value::Map{});
    for (const StageRecord& stage : candidate.stages) stages.set(stage.name, stage.seconds);
    fmt::print("{}\n", to_json(Value::Map{{"output", arguments.output},
                                          {"quantization_config", to_value(request.settings)},
                                          {"weight_bytes", weight_bytes(quantized.graph)},
                                          {"float_weight_bytes", weight_bytes(model.graph)},
                                          {"integer_kernels", kernels.integer_kernels},
                                          {"float_kernels", kernels.float_compute},
                                          {"stages", stages},
                                          {"layers", layers_value(candidate.quantized->layers)}},
                               1));
  } else if (!arguments.common.quiet) {
    fmt::print("{}", layers_text(candidate.quantized->layers));
    fmt::print("ONNX Runtime runs {} integer kernels and {} float ones\nwritten to {}\n", kernels.integer_kernels,
               kernels.float_compute, arguments.output);
  }
  return kDone;
}

}  // namespace

void add_quantize_command(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<QuantizeArguments>();
  CLI::App* command = app.add_subcommand("quantize", "Quantize a model with one configuration");
  command->add_option("MODEL", arguments->model, "Float model (.onnx)")->required();
  command->add_option("--calibration", arguments->calibration.path,
                      "Calibration data: .npz, .npy or a folder of test_data_set_*")->required();
  command->add_option("--limit", arguments->calibration.limit, "Use the first N samples")->check(CLI::PositiveNumber);
  add_fix_option(*command, arguments->fixed);
  command->add_option("--config", arguments->config, "Configuration file; its quantization_config is used");
  command->add_option("--preset", arguments->preset, "Named configuration (quantsearch presets)");
  add_target_option(*command, arguments->target);
  command->add_option("--output", arguments->output, "Quantized model to write (.onnx)")->required();
  add_common_options(*command, arguments->common);
  command->callback([arguments, &run] { run = [arguments] { return run_quantize(*arguments); }; });
}

}  // namespace quantsearch::cli
