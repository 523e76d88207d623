// quantsearch inspect: shows the contents of a model, what would be quantized, and what prevents
// it.

#include <fmt/core.h>

#include <cstdio>
#include <optional>
#include <utility>

#include "common.h"
#include "layer_text.h"
#include "quantsearch/base/processor.h"
#include "quantsearch/base/value.h"
#include "quantsearch/pipeline/inspect.h"
#include "quantsearch/pipeline/settings.h"
#include "quantsearch/quantize/quantized_already.h"
#include "quantsearch/runtime.h"

namespace quantsearch::cli {

namespace {

struct InspectArguments {
  CommonOptions common;
  std::string model;
  std::string preset;
  FixedInputs fixed;
  std::string target;
  bool providers = false;
};

Inspection inspection_of(const InspectArguments& arguments) {
  std::optional<Settings> settings;
  if (!arguments.preset.empty()) settings = settings_from(Value(arguments.preset));
  const QuantizationConfig config =
      resolve(!arguments.target.empty() ? for_target(arguments.target, std::move(settings))
              : settings                ? *settings
                                        : settings_from(Value()));
  return inspect(fix_inputs(load_model(arguments.model), arguments.fixed), config);
}

void print_text(const Inspection& inspection) {
  const Model& model = inspection.model;
  const Graph& weights = inspection.kernels ? model.graph : inspection.simplified.model.graph;
  fmt::print("opset {}, IR version {}, {} nodes, {} parameters, {:.1f} kB of weights\n",
             model.opset(), model.ir_version, model.graph.nodes.size(), parameter_count(weights),
             static_cast<double>(weight_bytes(weights)) / 1000);
  for (const ValueInfo& input : model.graph.inputs)
    fmt::print("input  {}: {}\n", input.name, to_string(input));
  for (const ValueInfo& output : model.graph.outputs)
    fmt::print("output {}: {}\n", output.name, to_string(output));
  fmt::print("processor: {}\n", to_string(this_processor()));
  if (inspection.kernels) {
    fmt::print(
        "\nThis model is quantized already: its activations go through {}.\n"
        "quantize and search take it with --requantize alone, for what it has left float.\n"
        "ONNX Runtime runs {} integer kernels and {} float ones:\n",
        to_string(inspection.quantized.of_activations), inspection.kernels->integer_kernels,
        inspection.kernels->float_compute);
    for (const auto& [name, count] : inspection.kernels->operators)
      fmt::print("{:<32}{:>6}\n", name, count);
    return;
  }
  if (!inspection.quantized.of_weights.empty()) {
    fmt::print(
        "\nIts weights are stored as integers ({}), its activations are float: it is quantized "
        "like a float model.\n",
        to_string(inspection.quantized.of_weights));
  }
  fmt::print("\nsimplified to {} nodes:\n", inspection.simplified.model.graph.nodes.size());
  for (const std::string& warning : inspection.simplified.warnings)
    fmt::print("  warning: {}\n", warning);
  for (const std::string& note : inspection.simplified.notes) fmt::print("  {}\n", note);
  for (const PassRecord& pass : inspection.simplified.passes) {
    for (const std::string& note : pass.notes) fmt::print("  {}: {}\n", pass.name, note);
  }
  fmt::print("\n{}", layers_text(inspection.layers));
}

Value to_value(const RuntimeLibrary& library) {
  Value::List providers;
  for (const ExecutionProvider& provider : library.providers) {
    providers.push_back(
        Value::Map{{"name", provider.name},
                   {"device", provider.device.empty() ? Value() : Value(provider.device)}});
  }
  return Value::Map{{"library", library.file.string()},
                    {"version", library.version},
                    {"providers", std::move(providers)}};
}

void print_text(const RuntimeLibrary& library) {
  fmt::print("ONNX Runtime {} of {}\n\n{:<32}{}\n", library.version, library.file.string(),
             "provider", "search_devices");
  for (const ExecutionProvider& provider : library.providers)
    fmt::print("{:<32}{}\n", provider.name,
               provider.device.empty() ? "not supported" : provider.device);
}

int run_providers(const InspectArguments& arguments) {
  const RuntimeLibrary library = runtime_library();
  if (arguments.common.json) {
    fmt::print("{}\n", to_json(to_value(library), 1));
  } else {
    print_text(library);
  }
  return kDone;
}

int run_inspect(const InspectArguments& arguments) {
  if (arguments.providers) return run_providers(arguments);
  const Inspection inspection = inspection_of(arguments);
  if (arguments.common.json) {
    fmt::print("{}\n", to_json(to_value(inspection), 1));
  } else {
    print_text(inspection);
  }
  return kDone;
}

}  // namespace

void add_inspect_command(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<InspectArguments>();
  CLI::App* command =
      app.add_subcommand("inspect", "Show what would be quantized, and what is in the way");
  CLI::Option* const model =
      command->add_option("MODEL", arguments->model, "Model (.onnx), float or quantized");
  command
      ->add_flag("--providers", arguments->providers,
                 "Show the library of ONNX Runtime and the devices it can use; takes no MODEL")
      ->excludes(model);
  command->add_option("--preset", arguments->preset, "Configuration to plan for (the default one)");
  add_fix_option(*command, arguments->fixed);
  add_target_option(*command, arguments->target);
  add_common_options(*command, arguments->common);
  command->callback([arguments, &run] {
    if (arguments->model.empty() && !arguments->providers) throw CLI::RequiredError("MODEL");
    run = [arguments] { return run_inspect(*arguments); };
  });
}

}  // namespace quantsearch::cli
