// Options that select the nodes to quantize.

#include <fmt/core.h>

#include <algorithm>

#include "pipeline/option_table.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/quantize/option_keys.h"

namespace quantsearch::options {

namespace {

using Field = std::vector<std::string> QuantizeOptions::*;

Option names_option(const std::string& name, const std::string& meaning, Field field) {
  return {.name = name,
          .meaning = meaning,
          .default_value = Value::List{},
          .is_list = true,
          .canonical = list_of_strings(),
          .apply = [field](QuantizationConfig& config,
                           const Value& value) { config.quantize.*field = strings_of(value); },
          .matters = {}};
}

// Checks a list of [[starts], [ends]] pairs.
Value subgraph_list(const Value& value) {
  if (value.is_null()) return Value::List{};
  for (const Value& pair : value.as_list()) {
    if (pair.as_list().size() != 2) {
      throw InvalidInput(
          fmt::format("got {}, expected pairs of [[start nodes], [end nodes]]", to_json(pair)));
    }
    for (const Value& names : pair.as_list()) (void)strings_of(names);
  }
  return value;
}

}  // namespace

void add_scope_options(std::vector<Option>& table) {
  table.push_back(names_option(std::string(keys::kOpTypes),
                               "operator types to quantize; empty: the default set",
                               &QuantizeOptions::op_types));
  table.push_back(names_option(std::string(keys::kExtraOpTypes),
                               "operator types added to the default set",
                               &QuantizeOptions::extra_op_types));
  table.push_back(
      names_option(std::string(keys::kExcludedOpTypes),
                   "operator types left float; also Conv/depthwise, Conv/pointwise, Conv/spatial, "
                   "MatMul/constant and MatMul/dynamic",
                   &QuantizeOptions::exclude_op_types));
  table.push_back(names_option(std::string(keys::kNodes), "only these nodes; empty: all",
                               &QuantizeOptions::nodes));
  table.push_back(names_option(std::string(keys::kExcludedNodes),
                               "nodes left float: names, or regular expressions that begin with ^",
                               &QuantizeOptions::exclude_nodes));
  table.push_back(
      {.name = std::string(keys::kExcludedSubgraphs),
       .meaning = "pairs [[starts], [ends]]: nodes on the paths between them stay float",
       .default_value = Value::List{},
       .is_list = true,
       .canonical = subgraph_list,
       .apply =
           [](QuantizationConfig& config, const Value& value) {
             for (const Value& pair : value.as_list()) {
               config.quantize.exclude_subgraphs.push_back({.starts = strings_of(pair.as_list()[0]),
                                                            .ends = strings_of(pair.as_list()[1])});
             }
           },
       .matters = {}});
  table.push_back(names_option(std::string(keys::kInputNodes),
                               "nodes or tensors whose ancestors stay float",
                               &QuantizeOptions::input_tensors));
  table.push_back(names_option(std::string(keys::kOutputNodes),
                               "nodes or tensors whose descendants stay float",
                               &QuantizeOptions::output_tensors));
  table.push_back(
      {.name = "extra_options.CalibPassthroughOpTypes",
       .meaning =
           "operator types whose outputs take the range of what they read, all inputs together",
       .default_value = Value::List{},
       .is_list = true,
       .canonical = list_of_strings(),
       .apply =
           [](QuantizationConfig& config, const Value& value) {
             std::vector<std::string>& types = config.quantize.passthrough_op_types;
             types = strings_of(value);
             std::ranges::sort(types);
             types.erase(std::unique(types.begin(), types.end()), types.end());
           },
       .matters = {}});
  table.push_back(
      {.name = "extra_options.MatMulConstBOnly",
       .meaning = "leave MatMul of two activations float",
       .default_value = false,
       .canonical = boolean(),
       .apply = [](QuantizationConfig& config,
                   const Value& value) { config.quantize.matmul_const_b_only = value.as_bool(); },
       .matters = {}});
}

}  // namespace quantsearch::options
