// Points of a space as quantization settings.

#include <fmt/core.h>

#include "quantsearch/autosearch.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

Settings settings_of(const Settings& base, const Point& point) {
  Settings settings = base;
  for (const auto& [name, value] : point) settings[name] = value;
  return settings;
}

Normalize normalize_over(Settings base, std::shared_ptr<Applicability> applicability) {
  return [base = std::move(base), applicability = std::move(applicability)](
             const Point& point) -> std::variant<Point, Rejected> {
    Settings settings = settings_of(base, point);
    if (auto reason = contradiction(settings)) return Rejected{*std::move(reason)};
    if (applicability != nullptr) settings = applicability->without_idle_methods(std::move(settings));
    Point kept;
    for (const auto& [name, value] : point) {
      if (has_effect(name, settings)) kept.emplace(name, settings.at(name));
    }
    return kept;
  };
}

Space default_space() {
  // uint8 activations and int8 weights are what the CPU provider has fast kernels for (docs/placement.md); within them
  // the range method, the granularity and the weight ranges decide accuracy.
  return Space({
      {.name = "calibrate_method",
       .choices = {"CalibrationMethod.MinMax", "CalibrationMethod.Percentile", "CalibrationMethod.MinMSE",
                   "CalibrationMethod.Entropy", "LayerWiseMethod.LayerWisePercentile"}},
      {.name = "extra_options.Percentile", .choices = {99.99, 99.999}},
      {.name = "extra_options.CalibTensorRangeSymmetric", .choices = {false}},
      {.name = "activation_type", .choices = {"QUInt8"}},
      {.name = "per_channel", .choices = {true, false}},
      {.name = "extra_options.WeightCalibrateMethod", .choices = {"MinMax", "MinMSE"}},
      {.name = "include_cle", .choices = {false, true}},
  });
}

}  // namespace quantsearch
