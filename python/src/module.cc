// The extension module quantsearch._core. The Python files of the package turn what users pass into
// the few types that it takes.

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include <string>

#include "bindings.h"
#include "errors.h"
#include "quantsearch/version.h"
#include "wording.h"

NB_MODULE(_core, module) {
  namespace python = quantsearch::python;
  python::register_errors();
  module.def("in_python", &python::in_python, nanobind::arg("message"));
  module.attr("version") = std::string(quantsearch::kVersion);
  python::bind_runtime(module);
  python::bind_model(module);
  python::bind_data(module);
  python::bind_settings(module);
  python::bind_quantize(module);
  python::bind_search(module);
  python::bind_optimizers(module);
  python::bind_storage(module);
  python::bind_trial_host(module);
}
