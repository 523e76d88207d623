// quantsearch quantize: builds the model of one configuration.

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <optional>

#include "build_inputs.h"
#include "check_text.h"
#include "common.h"
#include "help.h"
#include "layer_text.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/internal/quantize/option_keys.h"
#include "quantsearch/pipeline/pipeline.h"
#include "quantsearch/pipeline/quantize_model.h"
#include "terminal.h"

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

void print_json(const QuantizeArguments& arguments, const Settings& settings, const Model& model,
                const CheckedModel& checked) {
  Value::Map value = {{"output", arguments.output}};
  const Value description = describe(checked, settings, model);
  value.insert(value.end(), description.as_map().begin(), description.as_map().end());
  fmt::print("{}\n", to_json(value, 1));
}

/// Says where the inputs are not those with which a search found the configuration.
void compare_with_provenance(const QuantizeArguments& arguments, const Configuration& request,
                             const DataOrigin& calibration, const ModelOrigin& origin,
                             const LogSink& log) {
  if (request.provenance.is_null()) return;
  const RunInputs now{.model_file = arguments.model, .calibration = calibration, .origin = origin};
  const std::string file = arguments.configuration.file;
  for (const std::string& sentence : differences_from(request.provenance, now))
    say(log, LogLevel::warning, fmt::format("quantize: '{}': {}", file, sentence));
  for (const std::string& sentence : version_differences(request.provenance))
    say(log, LogLevel::info, fmt::format("quantize: '{}': {}", file, sentence));
}

int run_quantize(const QuantizeArguments& arguments) {
  require_output(arguments.output, arguments.overwrite);
  const Configuration request = request_of(arguments);
  const Settings& settings = request.settings;
  const auto& [config, model, calibration] =
      read_inputs(request, arguments.model, arguments.calibration, arguments.common.threads);
  Context context(arguments.common, {});
  warn_about(calibration.remarks, context.log());
  Pipeline pipeline(model, calibration.source, context.pool(), context.budget(),
                    {.log = context.log()});
  compare_with_provenance(arguments, request,
                          {.file = arguments.calibration.path, .available = calibration.available},
                          pipeline.origin(config), context.log());
  const CheckedModel checked =
      build_checked(settings, model, *calibration.source, pipeline,
                    {.check = !arguments.no_check, .log = context.log(), .token = context.token()});
  const QuantizedModel& quantized = checked.quantized();
  with_way_out([&] { save_model(quantized.model, arguments.output); });

  if (arguments.common.json) {
    print_json(arguments, settings, model, checked);
  } else if (!arguments.common.quiet) {
    fmt::print("{}\n", layers_text(quantized.layers, columns_at(STDOUT_FILENO)));
    if (checked.check) fmt::print("{}", check_text(*checked.check, columns_at(STDOUT_FILENO)));
    print_wrapped(fmt::format(
        "ONNX Runtime runs {} integer kernels and {} float ones\nwritten to {}",
        checked.kernels.integer_kernels, checked.kernels.float_compute, arguments.output));
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
  add_requantize_option(*command, arguments->requantize);
  command->add_option("--output", arguments->output, "Quantized model to write (.onnx)")
      ->required()
      ->option_text("FILE")
      ->group(kOutputGroup);
  command->add_flag("--no-check", arguments->no_check, "Do not run the model before it is written")
      ->group(kOutputGroup);
  command->add_flag("--overwrite", arguments->overwrite, "Replace the output file when it exists")
      ->group(kOutputGroup);
  add_common_options(*command, arguments->common);
  command->callback([arguments, &run] { run = [arguments] { return run_quantize(*arguments); }; });
}

}  // namespace quantsearch::cli
