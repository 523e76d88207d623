// quantsearch inspect: shows the contents of a model, what would be quantized, and what prevents
// it.

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <optional>

#include "common.h"
#include "configuration.h"
#include "help.h"
#include "layer_text.h"
#include "quantsearch/base/processor.h"
#include "quantsearch/base/value.h"
#include "quantsearch/pipeline/inspect.h"
#include "quantsearch/pipeline/pipeline.h"
#include "quantsearch/pipeline/settings.h"
#include "quantsearch/quantize/quantized_already.h"
#include "quantsearch/runtime.h"
#include "terminal.h"

namespace quantsearch::cli {

namespace {

struct InspectArguments {
  CommonOptions common;
  std::string model;
  ConfigurationText configuration;
  FixedInputs fixed;
  bool providers = false;
};

Inspection inspection_of(const InspectArguments& arguments) {
  const Configuration request =
      configuration_of(arguments.configuration, arguments.fixed, "inspect");
  return inspect(fix_inputs(load_model(arguments.model), request.fixed_inputs),
                 resolve(request.settings));
}

/// What a model is before anything is done to it.
void print_contents(const Inspection& inspection) {
  const Model& model = inspection.model;
  const Graph& weights = inspection.kernels ? model.graph : inspection.simplified.model.graph;
  print_wrapped(
      fmt::format("opset {}, IR version {}, {} nodes, {} parameters, {:.1f} kB of weights",
                  model.opset(), model.ir_version, model.graph.nodes.size(),
                  parameter_count(weights), static_cast<double>(weight_bytes(weights)) / 1000));
  print_wrapped("fingerprint " + content_key(model).hex());
  if (const auto origin = origin_metadata(model); !origin.empty()) {
    std::string text;
    for (const auto& [key, value] : origin)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", key, value);
    print_wrapped("written by quantsearch: " + text);
  }
  for (const ValueInfo& input : model.graph.inputs)
    print_wrapped(fmt::format("input  {}: {}", input.name, to_string(input)));
  for (const ValueInfo& output : model.graph.outputs)
    print_wrapped(fmt::format("output {}: {}", output.name, to_string(output)));
  print_wrapped("processor: " + to_string(this_processor()));
}

void print_quantized(const Inspection& inspection) {
  print_wrapped(
      fmt::format(
          "\nThis model is quantized already: its activations go through {}.\n"
          "quantize and search take it with --requantize alone, for what it has left float.\n"
          "ONNX Runtime runs {} integer kernels and {} float ones:",
          to_string(inspection.quantized.of_activations), inspection.kernels->integer_kernels,
          inspection.kernels->float_compute),
      0);
  for (const auto& [name, count] : inspection.kernels->operators)
    fmt::print("{:<32}{:>6}\n", name, count);
}

/// Some notes of a pass are repeated for each of many nodes.
void print_notes(const PassRecord& pass) {
  constexpr std::size_t kShown = 3;
  const std::size_t shown = pass.notes.size() > kShown + 1 ? kShown : pass.notes.size();
  for (std::size_t note = 0; note < shown; ++note)
    print_wrapped(fmt::format("  {}: {}", pass.name, pass.notes[note]), 4);
  if (shown < pass.notes.size()) {
    print_wrapped(
        fmt::format("  {}: {} more (--json lists them)", pass.name, pass.notes.size() - shown), 4);
  }
}

void print_text(const Inspection& inspection) {
  print_contents(inspection);
  if (inspection.kernels) return print_quantized(inspection);
  if (!inspection.quantized.of_weights.empty()) {
    print_wrapped(
        fmt::format(
            "\nIts weights are stored as integers ({}), its activations are float: it is quantized "
            "like a float model.",
            to_string(inspection.quantized.of_weights)),
        0);
  }
  fmt::print("\n{}", layers_text(inspection.layers, columns_at(STDOUT_FILENO)));
  fmt::print("\nsimplified to {} nodes:\n", inspection.simplified.model.graph.nodes.size());
  for (const std::string& warning : inspection.simplified.warnings)
    print_wrapped("  warning: " + warning, 4);
  for (const std::string& note : inspection.simplified.notes) print_wrapped("  " + note, 4);
  for (const std::string& note : inspection.notes) print_wrapped("  " + note, 4);
  for (const PassRecord& pass : inspection.simplified.passes) print_notes(pass);
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
  print_wrapped(fmt::format("ONNX Runtime {} of {}", library.version, library.file.string()));
  fmt::print("\n{:<32}{}\n", "provider", "search_devices");
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
      command->add_option("MODEL", arguments->model, "Model (.onnx), float or quantized")
          ->group(kInputGroup);
  command
      ->add_flag("--providers", arguments->providers,
                 "Show the library of ONNX Runtime and the devices it can use; takes no MODEL")
      ->excludes(model)
      ->group(kInputGroup);
  add_fix_option(*command, arguments->fixed);
  add_configuration_options(*command, arguments->configuration);
  add_common_options(*command, arguments->common, {.computes = false});
  command->callback([arguments, &run] {
    if (arguments->model.empty() && !arguments->providers) throw CLI::RequiredError("MODEL");
    run = [arguments] { return run_inspect(*arguments); };
  });
}

}  // namespace quantsearch::cli
