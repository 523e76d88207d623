// Models: load, save, what they take and give.

#include "quantsearch/model.h"

#include <fmt/core.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>

#include "bindings.h"
#include "quantsearch/model/fixed_inputs.h"
#include "quantsearch/quantize.h"
#include "values.h"

namespace nb = nanobind;

namespace quantsearch::python {

namespace {

/// (name, element type, dimensions), where a dimension is a size, a symbol or None; the dimensions
/// are None when the rank is unknown.
nb::tuple value_info(const ValueInfo& value) {
  nb::object dimensions = nb::none();
  if (value.dimensions) {
    nb::list list;
    for (const Dimension& dimension : *value.dimensions) {
      if (dimension.size) {
        list.append(*dimension.size);
      } else {
        list.append(dimension.symbol.empty() ? nb::none() : nb::cast(dimension.symbol));
      }
    }
    dimensions = list;
  }
  return nb::make_tuple(value.name, to_string(value.type), dimensions);
}

/// The inputs that a caller has to give: initializers that are also inputs are optional.
nb::list inputs_of(const Model& model) {
  nb::list list;
  for (const ValueInfo& input : model.graph.inputs) {
    if (model.graph.find_initializer(input.name) == nullptr) list.append(value_info(input));
  }
  return list;
}

nb::list outputs_of(const Model& model) {
  nb::list list;
  for (const ValueInfo& output : model.graph.outputs) list.append(value_info(output));
  return list;
}

Model parse(const nb::bytes& bytes, const std::filesystem::path& folder) {
  const std::span content(static_cast<const std::byte*>(bytes.data()), bytes.size());
  const nb::gil_scoped_release released;
  return parse_model(content, folder);
}

nb::bytes serialize(const Model& model) {
  const std::string bytes = [&model] {
    const nb::gil_scoped_release released;
    return serialize_model(model);
  }();
  return nb::bytes(bytes.data(), bytes.size());
}

void save(const Model& model, const std::filesystem::path& file, nb::handle external_data) {
  SaveOptions options;
  if (!external_data.is_none())
    options.external_data =
        nb::cast<bool>(external_data) ? ExternalData::always : ExternalData::never;
  const nb::gil_scoped_release released;
  save_model(model, file, options);
}

Model fix(const Model& model, nb::handle fixed) {
  const Value values = to_value(fixed, "fixed_inputs");
  FixedInputs inputs;
  for (const auto& [name, value] : values.as_map()) inputs[name] = value;
  const nb::gil_scoped_release released;
  return fix_inputs(model, inputs);
}

}  // namespace

void bind_model(nb::module_& module) {
  nb::class_<Model>(module, "Model")
      .def_prop_ro("inputs", &inputs_of)
      .def_prop_ro("outputs", &outputs_of)
      .def_prop_ro("opset", &Model::opset)
      .def_ro("ir_version", &Model::ir_version)
      .def_ro("metadata", &Model::metadata)
      .def_prop_ro("nodes", [](const Model& model) { return model.graph.nodes.size(); })
      .def_prop_ro("weight_bytes", [](const Model& model) { return weight_bytes(model.graph); })
      .def("__repr__",
           [](const Model& model) {
             return fmt::format("Model({} nodes, {} bytes of weights, opset {})",
                                model.graph.nodes.size(), weight_bytes(model.graph), model.opset());
           })
      .def("__getstate__", &serialize)
      .def("__setstate__",
           [](Model& model, const nb::bytes& bytes) { new (&model) Model(parse(bytes, {})); })
      .def("serialize", &serialize)
      .def("save", &save, nb::arg("file"), nb::arg("external_data").none())
      .def("fix_inputs", &fix, nb::arg("fixed"));
  module.def("load_model", &load_model, nb::arg("file"), nb::call_guard<nb::gil_scoped_release>());
  module.def("parse_model", &parse, nb::arg("bytes"), nb::arg("folder"));
}

}  // namespace quantsearch::python
