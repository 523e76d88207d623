#pragma once

// Conversion of Python objects to configuration values and back.

#include <nanobind/nanobind.h>

#include <string>

#include "quantsearch/base/value.h"

namespace quantsearch::python {

/// Takes None, bool, int, float, str, paths, members of an enum ("CalibrationMethod.MinMax"), numpy
/// scalars and arrays, lists, tuples, and dicts with str keys. `name` names the argument in
/// messages. Throws InvalidInput for anything else.
[[nodiscard]] Value to_value(nanobind::handle object, const std::string& name);
[[nodiscard]] nanobind::object to_python(const Value& value);

}  // namespace quantsearch::python
