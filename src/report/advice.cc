#include "report/advice.h"

#include <fmt/core.h>

#include <algorithm>

namespace quantsearch {

namespace {

/// Times of all operators that have integer kernels, from the profiles of placement.
struct KernelTotals {
  double float_ms = 0;
  double integer_ms = 0;
};

KernelTotals totals_of(const Value& placement) {
  KernelTotals totals;
  const Value* const patterns = placement.find("patterns");
  if (patterns == nullptr) return totals;
  for (const Value& row : patterns->as_list()) {
    if (*row.find("verdict") == Value("no integer kernel")) continue;
    totals.float_ms += row.find("float_ms")->as_double();
    totals.integer_ms += row.find("integer_ms")->as_double();
  }
  return totals;
}

std::string type_of(const ResultsDocument& document, const TrialResult& trial) {
  const auto chosen = trial.config.find("activation_type");
  return chosen == trial.config.end() ? document.activation_type : chosen->second.as_string();
}

}  // namespace

std::string cost_of_integers(const ResultsDocument& document, const TrialResult& best) {
  const KernelTotals totals = totals_of(document.placement);
  const std::int64_t conversions = best.model.conversions.value_or(0);
  if (totals.float_ms > 0 && totals.integer_ms >= totals.float_ms) {
    return fmt::format(
        "the operators that have integer kernels take {:.3g} ms with them "
        "and {:.3g} ms with float ones",
        totals.integer_ms, totals.float_ms);
  }
  if (totals.float_ms > 0) {
    return fmt::format(
        "integer kernels save {:.3g} of {:.3g} ms, and {} conversions between float "
        "and integers and what stays float cost more",
        totals.float_ms - totals.integer_ms, totals.float_ms, conversions);
  }
  return fmt::format(
      "its integer kernels and its {} conversions between float and integers "
      "take longer than the float kernels",
      conversions);
}

std::string why_not_faster(const ResultsDocument& document, const TrialResult& best) {
  if (document.search_goal != SearchGoal::fastest) return "";
  return "; no candidate is faster, so the smallest was chosen: " +
         cost_of_integers(document, best);
}

std::string type_advice(const ResultsDocument& document, const TrialResult& best) {
  const std::string fast = "QUInt8";
  const std::string type = type_of(document, best);
  if (document.for_npu || document.device != "cpu" || type.empty() || type == fast) return "";
  const bool was_timed = std::ranges::any_of(document.trials, [&](const TrialResult& trial) {
    return type_of(document, trial) == fast && trial.model.latency_ms;
  });
  if (was_timed) return "";
  const bool is_wide = type.ends_with("16");
  return fmt::format(
      "; {} activations run {} on ONNX Runtime's CPU provider, activation_type {} on "
      "integer kernels",
      type, is_wide ? "in float between conversions" : "partly in float", fast);
}

}  // namespace quantsearch
