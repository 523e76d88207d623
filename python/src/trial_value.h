#pragma once

// Trials as mappings for Python.

#include <vector>

#include "quantsearch/base/value.h"
#include "quantsearch/search/study.h"

namespace quantsearch::python {

/// The trial as results.json has it, with "value", "objectives" and "constraints".
[[nodiscard]] Value trial_value(const Trial& trial);
[[nodiscard]] Value trials_value(const std::vector<Trial>& trials);

}  // namespace quantsearch::python
