#include "quantize/placement/nothing_to_quantize.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "quantize/placement/operators.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/quantize/option_keys.h"

namespace quantsearch {

namespace {

/// One entry per operator type with the reason of its first node, such as "Conv (2): excluded by
/// name; Softmax (1): …".
std::string reasons_by_type(const std::vector<LayerRecord>& records) {
  std::map<std::string, std::pair<int, std::string>> types;
  for (const LayerRecord& record : records) {
    auto& [count, reason] = types[record.op_type];
    if (count++ == 0) reason = record.reason;
  }
  std::string text;
  for (const auto& [type, entry] : types) {
    text += fmt::format("{}{} ({}): {}", text.empty() ? "" : "; ", type, entry.first, entry.second);
  }
  return text.empty() ? "it has no nodes" : text;
}

const OperatorRule* rule_of(const LayerRecord& record) {
  const auto rules = operator_rules();
  const auto rule = std::ranges::find(rules, record.op_type, &OperatorRule::op_type);
  return rule == rules.end() ? nullptr : &*rule;
}

bool is_half_precision(const LayerRecord& record) {
  return record.reason.ends_with(" is " + to_string(DataType::float16));
}

/// True when a layer is float16. A quantized float32 table in such a model is not enough.
bool has_half_precision_layers(const std::vector<LayerRecord>& records) {
  return std::ranges::any_of(records, [](const LayerRecord& record) {
    const OperatorRule* rule = rule_of(record);
    return rule != nullptr && has_weight(rule->kind) && is_half_precision(record);
  });
}

std::string way_out(const std::vector<LayerRecord>& records) {
  bool has_rule = false;
  for (const LayerRecord& record : records) {
    if (rule_of(record) == nullptr) continue;
    has_rule = true;
    if (is_half_precision(record)) {
      return "set extra_options.ConvertFP16ToFP32 to true, which turns a float16 model into "
             "float32 first";
    }
  }
  return has_rule ? fmt::format("change the exclusions or add operator types with {}",
                                keys::kExtraOpTypes)
                  : "keep the float model";
}

}  // namespace

void require_something_quantized(const std::vector<LayerRecord>& records) {
  const bool tables_are_enough = !has_half_precision_layers(records);
  const auto computes = [&](const LayerRecord& record) {
    if (!record.quantized) return false;
    // A quantized Gather counts: either its table is stored as integers or, when it only moves
    // integers, another operator is quantized anyway.
    if (record.op_type == "Gather") return tables_are_enough;
    if (record.op_type == "LSTM") return true;
    const OperatorRule* rule = rule_of(record);
    return rule != nullptr && rule->kind != OperatorKind::layout &&
           rule->kind != OperatorKind::padding;
  };
  if (std::ranges::any_of(records, computes)) return;
  throw InvalidInput(
      fmt::format("quantize: there is nothing to quantize in the model ({}), expected at least one "
                  "operator; {}",
                  reasons_by_type(records), way_out(records)));
}

}  // namespace quantsearch
