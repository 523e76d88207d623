// Formats of single nodes, which mixed precision chooses and which a user may set instead.

#include <fmt/core.h>

#include <algorithm>

#include "pipeline/option_table.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"
#include "quantsearch/internal/quantize/option_keys.h"

namespace quantsearch::options {

namespace {

constexpr const char* kFloat = "Float";

Value canonical_format(const std::string& node, const Value& format) {
  if (format.is_string()) {
    return one_of({{kFloat, {"Float32"}}})(format);
  }
  static const std::vector<std::string> kKeys = {"activation_type", "weight_type"};
  Value result(Value::Map{});
  for (const auto& [key, type] : format.as_map()) {
    if (std::ranges::find(kKeys, key) == kKeys.end()) {
      throw InvalidInput(
          fmt::format("node '{}': {}", node, unknown_name_message("key", key, kKeys)));
    }
    result.set(key, quant_type()(type));
  }
  if (result.as_map().empty()) {
    throw InvalidInput(fmt::format(
        "node '{}': got an empty mapping, expected activation_type, weight_type or both", node));
  }
  return result;
}

Value canonical_formats(const Value& value) {
  if (value.is_null()) return Value::Map{};
  Value::Map formats;
  for (const auto& [node, format] : value.as_map())
    formats.emplace_back(node, canonical_format(node, format));
  return formats;
}

NodeFormat node_format(const Value& format) {
  if (format.is_string())
    return {.activation = std::nullopt, .weight = std::nullopt, .keep_float = true};
  NodeFormat result;
  if (const Value* type = format.find("activation_type"))
    result.activation = data_type_named(type->as_string());
  if (const Value* type = format.find("weight_type"))
    result.weight = data_type_named(type->as_string());
  return result;
}

std::string type_name(DataType type) {
  for (const char* const name : {"QInt8", "QUInt8", "QInt16", "QUInt16"}) {
    if (data_type_named(name) == type) return name;
  }
  throw InternalError(fmt::format("type {} has no option name", to_string(type)));
}

}  // namespace

Value node_formats_value(const std::map<std::string, NodeFormat>& formats) {
  Value::Map nodes;
  for (const auto& [node, format] : formats) {
    Value value(Value::Map{});
    if (format.activation) value.set("activation_type", type_name(*format.activation));
    if (format.weight) value.set("weight_type", type_name(*format.weight));
    nodes.emplace_back(node, format.keep_float ? Value(kFloat) : value);
  }
  return nodes;
}

void add_format_options(std::vector<Option>& table) {
  table.push_back(
      {.name = std::string(keys::kNodeFormats),
       .meaning =
           "formats of single nodes: {NODE: {activation_type: …, weight_type: …}} or {NODE: Float}",
       .default_value = Value::Map{},
       .canonical = canonical_formats,
       .apply =
           [](QuantizationConfig& config, const Value& value) {
             for (const auto& [node, format] : value.as_map()) {
               config.quantize.node_formats[node] = node_format(format);
             }
           },
       .matters = {}});
}

}  // namespace quantsearch::options
