#include "quantize/placement/passthrough.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "quantize/placement/operators.h"

namespace quantsearch {

namespace {

/// Operators whose outputs lie within the range of their inputs, in addition to data movement,
/// whose outputs have their input's range anyway. An average lies between the values that it
/// averages.
constexpr std::array<std::string_view, 8> kMadeOfInputs = {
    "AveragePool", "Concat", "GlobalAveragePool", "GlobalMaxPool",
    "Max",         "Min",    "ReduceMean",        "Where"};

bool is_made_of_inputs(std::string_view op_type) {
  return std::ranges::find(kMadeOfInputs, op_type) != kMadeOfInputs.end();
}

bool shares_range_anyway(std::string_view op_type) {
  const auto rule = std::ranges::find(operator_rules(), op_type, &OperatorRule::op_type);
  return rule != operator_rules().end() &&
         (rule->kind == OperatorKind::layout || rule->kind == OperatorKind::padding);
}

}  // namespace

void require_passthrough(const std::vector<std::string>& op_types) {
  for (const std::string& op_type : op_types) {
    if (is_made_of_inputs(op_type) || shares_range_anyway(op_type)) continue;
    throw Unsupported(fmt::format(
        "quantize: CalibPassthroughOpTypes names '{}', whose outputs are not made of the values of "
        "its inputs; expected data movement (Reshape, Transpose, Split, ...) or {}",
        op_type, fmt::join(kMadeOfInputs, ", ")));
  }
}

std::vector<std::string> passed_inputs(const GraphView& view, const QuantizeOptions& options,
                                       std::string_view tensor) {
  const auto producer = view.index.producer(tensor);
  if (!producer || options.passthrough_op_types.empty()) return {};
  const Node& node = view.node(*producer);
  const auto& listed = options.passthrough_op_types;
  const OperatorRule* rule = find_rule(node);
  if (rule == nullptr || !is_made_of_inputs(node.op_type) ||
      std::ranges::find(listed, node.op_type) == listed.end())
    return {};
  std::vector<std::string> inputs;
  for (const std::size_t input : data_inputs(node, *rule, view.index))
    inputs.push_back(node.inputs[input]);
  return inputs;
}

Range union_of(const std::vector<Range>& ranges) {
  Range result = ranges.front();
  for (const Range& range : ranges) {
    result.low = std::min(result.low, range.low);
    result.high = std::max(result.high, range.high);
  }
  return result;
}

}  // namespace quantsearch
