#include "quantsearch/pipeline/inspect.h"

#include <map>
#include <string>
#include <utility>

#include "pipeline/user_names.h"
#include "quantsearch/base/processor.h"
#include "quantsearch/pipeline/pipeline.h"
#include "quantsearch/pipeline/quantize_model.h"
#include "quantsearch/runtime.h"

namespace quantsearch {

namespace {

Value::List values_list(const std::vector<ValueInfo>& values) {
  Value::List list;
  for (const ValueInfo& value : values) list.push_back(value.name + ": " + to_string(value));
  return list;
}

Value counts_value(const std::map<std::string, int>& counts) {
  Value value(Value::Map{});
  for (const auto& [name, count] : counts) value.set(name, count);
  return value;
}

}  // namespace

Inspection inspect(Model model, const QuantizationConfig& config) {
  Inspection inspection{.model = std::move(model)};
  inspection.quantized = quantized_already(inspection.model);
  if (!inspection.quantized.of_activations.empty() && !config.requantize) {
    inspection.kernels = report_kernels(optimized_model(inspection.model));
    return inspection;
  }
  inspection.simplified = simplify(inspection.model, config.simplify);
  NamedConfig named = with_simplified_names(config, inspection.simplified);
  inspection.notes = std::move(named.notes);
  inspection.layers = plan_layers(inspection.simplified.model, named.config.quantize);
  return inspection;
}

std::int64_t parameter_count(const Graph& graph) {
  std::int64_t count = 0;
  for (const Initializer& initializer : graph.initializers) count += initializer.tensor->size();
  return count;
}

Value to_value(const Inspection& inspection) {
  const Model& model = inspection.model;
  Value value =
      Value::Map{{"opset", model.opset()},
                 {"ir_version", model.ir_version},
                 {"nodes", static_cast<std::int64_t>(model.graph.nodes.size())},
                 {"parameters", parameter_count(model.graph)},
                 {"weight_bytes", weight_bytes(model.graph)},
                 {"fingerprint", content_key(model).hex()},
                 {"inputs", values_list(model.graph.inputs)},
                 {"outputs", values_list(model.graph.outputs)},
                 {"processor", to_value(this_processor())},
                 {"quantized_activations", counts_value(inspection.quantized.of_activations)},
                 {"quantized_weights", counts_value(inspection.quantized.of_weights)}};
  if (const auto origin = origin_metadata(model); !origin.empty()) {
    Value written(Value::Map{});
    for (const auto& [key, text] : origin) written.set(key, text);
    value.set("origin", written);
  }
  if (inspection.kernels) {
    value.set("integer_kernels", inspection.kernels->integer_kernels);
    value.set("float_kernels", inspection.kernels->float_compute);
    value.set("runtime_operators", counts_value(inspection.kernels->operators));
  } else {
    value.set("simplified_nodes",
              static_cast<std::int64_t>(inspection.simplified.model.graph.nodes.size()));
    value.set("layers", layers_value(inspection.layers));
    value.set("warnings", Value::List(inspection.simplified.warnings.begin(),
                                      inspection.simplified.warnings.end()));
    Value::List passes;
    for (const PassRecord& pass : inspection.simplified.passes) {
      for (const std::string& note : pass.notes) passes.emplace_back(pass.name + ": " + note);
    }
    value.set("simplifications", passes);
    value.set("notes", Value::List(inspection.notes.begin(), inspection.notes.end()));
  }
  return value;
}

}  // namespace quantsearch
