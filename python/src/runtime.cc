// Which ONNX Runtime this process uses.

#include "quantsearch/runtime.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>

#include "bindings.h"
#include "values.h"

namespace nb = nanobind;

namespace quantsearch::python {

namespace {

/// {file, version, providers: [{name, device}]}.
nb::object library() {
  const RuntimeLibrary found = [] {
    const nb::gil_scoped_release released;
    return runtime_library();
  }();
  Value::List providers;
  for (const ExecutionProvider& provider : found.providers) {
    providers.push_back(
        Value::Map{{"name", provider.name},
                   {"device", provider.device.empty() ? Value() : Value(provider.device)}});
  }
  return to_python(Value::Map{
      {"file", found.file.string()}, {"version", found.version}, {"providers", providers}});
}

}  // namespace

void bind_runtime(nb::module_& module) {
  module.def("use_runtime_library", &use_runtime_library, nb::arg("place"),
             nb::call_guard<nb::gil_scoped_release>());
  module.def("runtime_library", &library);
  module.def("runtime_version", &runtime_version, nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace quantsearch::python
