#pragma once

// Each function adds the bindings of one file to the module.

#include <nanobind/nanobind.h>

namespace quantsearch::python {

void bind_data(nanobind::module_& module);
void bind_model(nanobind::module_& module);
void bind_optimizers(nanobind::module_& module);
void bind_quantize(nanobind::module_& module);
void bind_runtime(nanobind::module_& module);
void bind_search(nanobind::module_& module);
void bind_settings(nanobind::module_& module);
void bind_storage(nanobind::module_& module);
void bind_trial_host(nanobind::module_& module);

}  // namespace quantsearch::python
