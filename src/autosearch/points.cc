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

Normalize normalize_over(Settings base) {
  return [base = std::move(base)](const Point& point) -> std::variant<Point, Rejected> {
    const Settings settings = settings_of(base, point);
    if (auto reason = contradiction(settings)) return Rejected{*std::move(reason)};
    Point kept;
    for (const auto& [name, value] : point) {
      if (has_effect(name, settings)) kept.emplace(name, value);
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
  });
}

}  // namespace quantsearch
