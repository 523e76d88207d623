#include "autosearch/mixed_widths.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

namespace quantsearch {

namespace {

bool is_task_score(const std::string& objective) {
  return is_evaluator_score(objective) || objective == metric_info(Metric::top1).name ||
         objective == metric_info(Metric::top5).name;
}

/// Returns the widths of `option` in the space: true for 16 bits, false for 8 bits.
std::set<bool> widths_of(const std::string& option, const Settings& base, const Space& space) {
  const auto is_wide = [](const Value& type) { return type.as_string().ends_with("16"); };
  std::set<bool> widths;
  for (const std::vector<Parameter>& product : space.products()) {
    const auto found = std::ranges::find(product, option, &Parameter::name);
    if (found == product.end()) {
      widths.insert(is_wide(effective_value(option, base)));
      continue;
    }
    for (const Value& type : found->choices) widths.insert(is_wide(type));
  }
  return widths;
}

}  // namespace

std::optional<std::string> mixed_widths_warning(const ObjectiveName& objective,
                                                const Settings& base, const Space& space) {
  if (is_task_score(objective.name)) return std::nullopt;
  for (const auto& [option, what] :
       {std::pair("activation_type", "activations"), std::pair("weight_type", "weights")}) {
    if (widths_of(option, base, space).size() < 2) continue;
    return fmt::format(
        "the space holds 8-bit and 16-bit {} and {} measures only how near the float model a "
        "candidate is, so 16 bits win whatever they cost; let top1 or an evaluator decide, or "
        "search the widths apart",
        what, objective.name);
  }
  return std::nullopt;
}

}  // namespace quantsearch
