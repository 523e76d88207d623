#include "values.h"

#include <fmt/core.h>

#include "quantsearch/base/error.h"

namespace nb = nanobind;

namespace quantsearch::python {

namespace {

std::string name_of_type(nb::handle object) {
  return nb::cast<std::string>(object.type().attr("__name__"));
}

bool is_instance(nb::handle object, const char* module, const char* type) {
  return nb::isinstance(object, nb::module_::import_(module).attr(type));
}

Value map_of(const nb::dict& dict, const std::string& name) {
  Value::Map map;
  for (const auto& [key, value] : dict) {
    if (!nb::isinstance<nb::str>(key)) {
      throw InvalidInput(
          fmt::format("{}: got a key of type {}, expected text as keys", name, name_of_type(key)));
    }
    const auto text = nb::cast<std::string>(key);
    map.emplace_back(text, to_value(value, name.empty() ? text : fmt::format("{}.{}", name, text)));
  }
  return map;
}

Value list_of(nb::handle items, const std::string& name) {
  Value::List list;
  for (nb::handle item : items)
    list.push_back(to_value(item, fmt::format("{}[{}]", name, list.size())));
  return list;
}

Value int_of(nb::handle object, const std::string& name) {
  std::int64_t value = 0;
  if (!nb::try_cast(object, value)) {
    throw InvalidInput(
        fmt::format("{}: got an integer of more than 64 bits, expected a smaller one", name));
  }
  return value;
}

/// Types that are recognized by their interface and not by their exact type.
Value other_of(nb::handle object, const std::string& name) {
  if (is_instance(object, "enum", "Enum")) {
    return name_of_type(object) + "." + nb::cast<std::string>(object.attr("name"));
  }
  if (is_instance(object, "os", "PathLike"))
    return to_value(nb::module_::import_("os").attr("fspath")(object), name);
  if (nb::hasattr(object, "tolist")) return to_value(object.attr("tolist")(), name);  // numpy
  if (is_instance(object, "collections.abc", "Mapping"))
    return map_of(nb::cast<nb::dict>(nb::module_::import_("builtins").attr("dict")(object)), name);
  if (is_instance(object, "collections.abc", "Sequence") && !nb::isinstance<nb::bytes>(object))
    return list_of(object, name);
  throw InvalidInput(fmt::format(
      "{}: got a value of type {}, expected a number, text, truth value, list or mapping", name,
      name_of_type(object)));
}

}  // namespace

Value to_value(nb::handle object, const std::string& name) {
  if (object.is_none()) return {};
  if (PyBool_Check(object.ptr())) return nb::cast<bool>(object);
  if (is_instance(object, "enum", "Enum")) return other_of(object, name);  // also IntEnum
  if (nb::isinstance<nb::int_>(object)) return int_of(object, name);
  if (nb::isinstance<nb::float_>(object)) return nb::cast<double>(object);
  if (nb::isinstance<nb::str>(object)) return nb::cast<std::string>(object);
  if (nb::isinstance<nb::dict>(object)) return map_of(nb::borrow<nb::dict>(object), name);
  if (nb::isinstance<nb::list>(object) || nb::isinstance<nb::tuple>(object))
    return list_of(object, name);
  return other_of(object, name);
}

nb::object to_python(const Value& value) {
  if (value.is_bool()) return nb::cast(value.as_bool());
  if (value.is_int()) return nb::cast(value.as_int());
  if (value.is_double()) return nb::cast(value.as_double());
  if (value.is_string()) return nb::cast(value.as_string().c_str());
  if (value.is_list()) {
    nb::list list;
    for (const Value& item : value.as_list()) list.append(to_python(item));
    return list;
  }
  if (value.is_map()) {
    nb::dict dict;
    for (const auto& [key, item] : value.as_map()) dict[key.c_str()] = to_python(item);
    return dict;
  }
  return nb::none();
}

}  // namespace quantsearch::python
