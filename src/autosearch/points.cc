// Interprets the points of a space as quantization settings.

#include <fmt/core.h>

#include "quantsearch/autosearch.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/trials/executor.h"

namespace quantsearch {

Normalize normalize_over(Settings base, std::shared_ptr<Applicability> applicability,
                         std::optional<std::int64_t> samples) {
  return [base = std::move(base), applicability = std::move(applicability),
          samples](const Point& point) -> std::variant<Point, Rejected> {
    Settings settings = settings_of(base, point);
    if (auto reason = contradiction(settings, samples)) return Rejected{*std::move(reason)};
    if (applicability != nullptr)
      settings = applicability->without_idle_methods(std::move(settings));
    Point kept;
    for (const auto& [name, value] : point) {
      if (has_effect(name, settings)) kept.emplace(name, settings.at(name));
    }
    return kept;
  };
}

namespace {

/// Returns a space with per-tensor weights and power-of-two scales. Positions are always aligned
/// for an NPU, which needs it; otherwise alignment is a choice.
Space power_of_two_space(bool for_npu) {
  const std::vector<Value> alignment =
      for_npu ? std::vector<Value>{true} : std::vector<Value>{false, true};
  return Space({
      {.name = "calibrate_method",
       .choices = {"PowerOfTwoMethod.MinMSE", "PowerOfTwoMethod.NonOverflow"}},
      {.name = "per_channel", .choices = {false}},
      {.name = "extra_options.WeightCalibrateMethod", .choices = {"MinMSE", "MinMax"}},
      {.name = "extra_options.AlignConcat", .choices = alignment},
      {.name = "extra_options.AlignPool", .choices = alignment},
      {.name = "include_cle", .choices = {false, true}},
  });
}

}  // namespace

Space default_space(const Settings& base) {
  const bool for_npu = effective_value("enable_npu_cnn", base).as_bool();
  if (for_npu ||
      effective_value("calibrate_method", base).as_string().starts_with("PowerOfTwoMethod."))
    return power_of_two_space(for_npu);
  // The types of the base are kept; within them the range method, the granularity and the weight
  // ranges decide accuracy. A symmetric type needs symmetric ranges with every method, so that the
  // base determines this setting.
  const bool symmetric = effective_value("extra_options.ActivationSymmetric", base).as_bool();
  return Space({
      {.name = "calibrate_method",
       .choices = {"CalibrationMethod.MinMax", "CalibrationMethod.Percentile",
                   "CalibrationMethod.MinMSE", "CalibrationMethod.Entropy",
                   "LayerWiseMethod.LayerWisePercentile"}},
      {.name = "extra_options.Percentile", .choices = {99.99, 99.999}},
      {.name = "extra_options.CalibTensorRangeSymmetric", .choices = {symmetric}},
      {.name = "activation_type", .choices = {effective_value("activation_type", base)}},
      {.name = "per_channel", .choices = {true, false}},
      {.name = "extra_options.WeightCalibrateMethod", .choices = {"MinMax", "MinMSE"}},
      {.name = "include_cle", .choices = {false, true}},
  });
}

}  // namespace quantsearch
