// TensorQuantOverrides: {tensor: [{quant_type, axis, scale, zero_point, symmetric, reduce_range,
// rmin, rmax}, ...]}, the format of ONNX Runtime's and Quark's quantizers. One entry for a tensor,
// or one for each channel of a weight.

#include <fmt/core.h>

#include <algorithm>

#include "pipeline/option_table.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"

namespace quantsearch::options {

namespace {

using Check = std::function<Value(const Value&)>;

Check float_number() {
  return [](const Value& value) -> Value { return value.as_double(); };
}

const std::vector<std::pair<std::string, Check>>& entry_keys() {
  static const std::vector<std::pair<std::string, Check>> kKeys = {
      {"axis", integer(0, 7)},
      {"quant_type", override_type()},
      {"reduce_range", boolean()},
      {"rmax", float_number()},
      {"rmin", float_number()},
      {"scale", number_above(0, 3.4028234663852886e38)},
      {"symmetric", boolean()},
      {"zero_point", integer(-(std::int64_t{1} << 31), (std::int64_t{1} << 31) - 1)},
  };
  return kKeys;
}

const Check& check_of(const std::string& key) {
  if (key == "convert") {
    throw Unsupported(
        "key 'convert' is refused: a tensor read in two types gets a pair for each; give "
        "the nodes their types with mixed precision");
  }
  std::vector<std::string> known;
  for (const auto& [name, check] : entry_keys()) {
    if (name == key) return check;
    known.push_back(name);
  }
  throw InvalidInput(unknown_name_message("key", key, known));
}

void require_consistent(const Value& entry) {
  const bool has_scale = entry.find("scale") != nullptr;
  if (has_scale != (entry.find("zero_point") != nullptr)) {
    throw InvalidInput(fmt::format("key '{}' is given without '{}', expected both or neither",
                                   has_scale ? "scale" : "zero_point",
                                   has_scale ? "zero_point" : "scale"));
  }
  if (!has_scale) return;
  for (const char* key : {"rmin", "rmax", "symmetric", "reduce_range"}) {
    if (entry.find(key) == nullptr) continue;
    throw InvalidInput(
        fmt::format("key '{}' has no effect beside 'scale' and 'zero_point'; leave it out", key));
  }
}

/// Returns the entry with its keys in alphabetical order, so that equal entries have the same form.
Value canonical_entry(const Value& entry) {
  std::vector<std::pair<std::string, Value>> members(entry.as_map().begin(), entry.as_map().end());
  std::ranges::sort(members, {}, &std::pair<std::string, Value>::first);
  Value result(Value::Map{});
  for (const auto& [key, value] : members) {
    const Check& check = check_of(key);
    try {
      result.set(key, check(value));
    } catch (const InvalidInput& error) {
      throw InvalidInput(fmt::format("key '{}': {}", key, error.what()));
    } catch (const Unsupported& error) {
      throw Unsupported(fmt::format("key '{}': {}", key, error.what()));
    }
  }
  require_consistent(result);
  return result;
}

/// ONNX Runtime requires that all channels of a tensor agree in everything but the numbers.
void require_alike(const Value::List& entries) {
  for (const char* key : {"axis", "quant_type", "symmetric", "reduce_range"}) {
    const Value* first = entries.front().find(key);
    for (const Value& entry : entries) {
      const Value* other = entry.find(key);
      if (other == nullptr || (first != nullptr && *other == *first)) continue;
      throw InvalidInput(fmt::format(
          "key '{}' differs between the channels, expected one value in the first entry", key));
    }
  }
}

Value canonical_overrides(const Value& value) {
  if (value.is_null()) return Value::Map{};
  std::vector<std::pair<std::string, Value>> tensors(value.as_map().begin(), value.as_map().end());
  std::ranges::sort(tensors, {}, &std::pair<std::string, Value>::first);
  Value result(Value::Map{});
  for (const auto& [tensor, given] : tensors) {
    try {
      Value::List entries;
      // A single mapping means a list with one entry.
      const Value::List list = given.is_map() ? Value::List{given} : given.as_list();
      for (const Value& entry : list) entries.push_back(canonical_entry(entry));
      if (entries.empty()) throw InvalidInput("got an empty list, expected at least one entry");
      require_alike(entries);
      result.set(tensor, entries);
    } catch (const InvalidInput& error) {
      throw InvalidInput(fmt::format("tensor '{}': {}", tensor, error.what()));
    } catch (const Unsupported& error) {
      throw Unsupported(fmt::format("tensor '{}': {}", tensor, error.what()));
    }
  }
  return result;
}

TensorOverride::Values values_of(const Value& entry) {
  TensorOverride::Values values;
  if (const Value* scale = entry.find("scale")) {
    values.params = ScaleZeroPoint{.scale = static_cast<float>(scale->as_double()),
                                   .zero_point = entry.find("zero_point")->as_int()};
  }
  if (const Value* low = entry.find("rmin")) values.low = low->as_double();
  if (const Value* high = entry.find("rmax")) values.high = high->as_double();
  return values;
}

TensorOverride override_of(const Value::List& entries) {
  TensorOverride result;
  const Value& first = entries.front();
  if (const Value* type = first.find("quant_type"))
    result.type = data_type_named(type->as_string());
  if (const Value* symmetric = first.find("symmetric")) result.symmetric = symmetric->as_bool();
  if (const Value* reduce = first.find("reduce_range")) result.reduce_range = reduce->as_bool();
  if (const Value* axis = first.find("axis")) result.axis = static_cast<int>(axis->as_int());
  for (const Value& entry : entries) result.values.push_back(values_of(entry));
  return result;
}

void apply_overrides(QuantizationConfig& config, const Value& value) {
  for (const auto& [tensor, entries] : value.as_map()) {
    const TensorOverride wanted = override_of(entries.as_list());
    config.quantize.overrides[tensor] = wanted;
    if (!wanted.type && !wanted.symmetric && !wanted.reduce_range) continue;
    config.ranges.tensors[tensor] = {.type = wanted.type,
                                     .symmetric_quantization = wanted.symmetric,
                                     .reduce_range = wanted.reduce_range,
                                     .statistics_of = ""};
  }
}

}  // namespace

void add_override_options(std::vector<Option>& table) {
  table.push_back(
      {.name = "extra_options.TensorQuantOverrides",
       .meaning =
           "by tensor, a list of {quant_type, scale, zero_point, rmin, rmax, symmetric, "
           "reduce_range, axis}: what differs for it; one entry, or one per channel of a weight",
       .default_value = Value::Map{},
       .canonical = canonical_overrides,
       .apply = apply_overrides});
}

}  // namespace quantsearch::options
