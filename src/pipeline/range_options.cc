// Options of calibration: the range method and the options of each method.

#include "pipeline/option_table.h"
#include "quantsearch/base/error.h"

namespace quantsearch::options {

namespace {

struct MethodName {
  const char* name;
  RangeMethod method;
};

// The short names MinMSE and NonOverflow mean the power-of-two methods, as in Quark.
constexpr MethodName kMethods[] = {
    {"CalibrationMethod.MinMax", RangeMethod::min_max},
    {"CalibrationMethod.Percentile", RangeMethod::percentile},
    {"CalibrationMethod.Entropy", RangeMethod::entropy},
    {"CalibrationMethod.MinMSE", RangeMethod::min_mse},
    {"LayerWiseMethod.LayerWisePercentile", RangeMethod::layer_wise_percentile},
    {"PowerOfTwoMethod.MinMSE", RangeMethod::power_of_two_min_mse},
    {"PowerOfTwoMethod.NonOverflow", RangeMethod::power_of_two_non_overflow},
};

RangeMethod method_of(const Value& value) {
  for (const MethodName& entry : kMethods) {
    if (value.as_string() == entry.name) return entry.method;
  }
  throw InternalError("calibration method '" + value.as_string() + "' is not in the table");
}

std::function<Value(const Value&)> method_name() {
  std::vector<NamedChoice> choices;
  for (const MethodName& entry : kMethods) {
    const std::string name = entry.name;
    std::vector<std::string> aliases;
    if (name != "CalibrationMethod.MinMSE") aliases.push_back(name.substr(name.find('.') + 1));
    if (name == "LayerWiseMethod.LayerWisePercentile")
      aliases.push_back("CalibrationMethod.LayerWisePercentile");
    if (name == "CalibrationMethod.MinMSE") aliases.push_back("ExtendedCalibrationMethod.MinMSE");
    choices.push_back({name, aliases});
  }
  const char* const distribution =
      "is symmetric min-max for integer types: use CalibrationMethod.MinMax with "
      "ActivationSymmetric true";
  return one_of(std::move(choices),
                {{"Distribution", distribution}, {"CalibrationMethod.Distribution", distribution}});
}

std::function<bool(const Settings&)> only_under(RangeMethod method) {
  return [method](const Settings& settings) {
    return method_of(effective_value("calibrate_method", settings)) == method;
  };
}

bool takes_symmetric_range(const Settings& settings) {
  const RangeMethod method = method_of(effective_value("calibrate_method", settings));
  return method == RangeMethod::min_max || method == RangeMethod::percentile ||
         method == RangeMethod::layer_wise_percentile;
}

void add_method(std::vector<Option>& table) {
  table.push_back({.name = "calibrate_method",
                   .meaning = "how activation ranges are chosen from the statistics",
                   .default_value = "CalibrationMethod.MinMax",
                   .canonical = method_name(),
                   .apply = [](QuantizationConfig& config, const Value& value) {
                     config.ranges.method = method_of(value);
                     config.quantize.power_of_two = is_power_of_two(config.ranges.method);
                     // The nearest power of two can clip a third of the largest weights, so the
                     // method searches the ranges of weights too.
                     if (config.ranges.method == RangeMethod::power_of_two_min_mse)
                       config.quantize.weight_range = WeightRange::mse;
                     config.quantize.power_of_two_rounding =
                         config.ranges.method == RangeMethod::power_of_two_non_overflow
                             ? PowerOfTwoRounding::up
                             : PowerOfTwoRounding::nearest;
                   }});
  table.push_back(
      {.name = "extra_options.CalibTensorRangeSymmetric",
       .meaning =
           "ranges made symmetric before scales are computed; absent: the method's own default",
       .default_value = {},
       .canonical = optional(boolean()),
       .apply =
           [](QuantizationConfig& config, const Value& value) {
             if (!value.is_null()) config.ranges.symmetric_range = value.as_bool();
           },
       .matters = takes_symmetric_range});
  table.push_back({.name = "extra_options.CalibDataSize",
                   .meaning = "use the first N calibration samples; absent: all",
                   .default_value = {},
                   .canonical = optional(integer(1, std::int64_t{1} << 40)),
                   .apply = [](QuantizationConfig& config, const Value& value) {
                     if (!value.is_null()) config.calibration_samples = value.as_int();
                   }});
}

void add_min_max(std::vector<Option>& table) {
  table.push_back(
      {.name = "extra_options.CalibMovingAverage",
       .meaning = "MinMax: exponential moving average of per-sample extremes, in sample order",
       .default_value = false,
       .canonical = boolean(),
       .apply = [](QuantizationConfig& config,
                   const Value& value) { config.ranges.moving_average = value.as_bool(); },
       .matters = only_under(RangeMethod::min_max)});
  table.push_back(
      {.name = "extra_options.CalibMovingAverageConstant",
       .meaning = "weight c of each new sample: r <- r + c (r_sample - r)",
       .default_value = 0.01,
       .canonical = number_above(0, 1),
       .apply =
           [](QuantizationConfig& config, const Value& value) {
             config.ranges.moving_average_constant = value.as_double();
           },
       .matters =
           [](const Settings& settings) {
             return has_effect("extra_options.CalibMovingAverage", settings) &&
                    effective_value("extra_options.CalibMovingAverage", settings).as_bool();
           }});
}

void add_histogram_methods(std::vector<Option>& table) {
  table.push_back(
      {.name = "extra_options.Percentile",
       .meaning = "Percentile: share of values kept inside the range, in percent",
       .default_value = 99.999,
       .canonical = number_above(0, 100),
       .apply = [](QuantizationConfig& config,
                   const Value& value) { config.ranges.percentile = value.as_double(); },
       .matters = only_under(RangeMethod::percentile)});
  table.push_back(
      {.name = "extra_options.PercentileCandidates",
       .meaning = "LayerWisePercentile: percentiles tried for each tensor; 100 is always added",
       .default_value = Value::List{99.99, 99.999, 99.99999},
       .is_list = true,
       .canonical = list_of_numbers_above(0, 100),
       .apply =
           [](QuantizationConfig& config, const Value& value) {
             config.ranges.percentile_candidates.clear();
             for (const Value& item : value.as_list()) {
               config.ranges.percentile_candidates.push_back(item.as_double());
             }
           },
       .matters = only_under(RangeMethod::layer_wise_percentile)});
  table.push_back({.name = "extra_options.LWPMetric",
                   .meaning = "LayerWisePercentile: error that is minimised, mae or mse",
                   .default_value = "mae",
                   .canonical = one_of({{"mae", {}}, {"mse", {}}}),
                   .apply =
                       [](QuantizationConfig& config, const Value& value) {
                         config.ranges.percentile_metric = value.as_string() == "mse"
                                                               ? PercentileMetric::mse
                                                               : PercentileMetric::mae;
                       },
                   .matters = only_under(RangeMethod::layer_wise_percentile)});
  table.push_back(
      {.name = "extra_options.NumQuantizedBins",
       .meaning =
           "Entropy: levels of the quantized distribution; absent: those the activation type has",
       .default_value = {},
       .canonical = optional(integer(2, 32768)),
       .apply =
           [](QuantizationConfig& config, const Value& value) {
             if (!value.is_null()) config.ranges.quantized_bins = static_cast<int>(value.as_int());
           },
       .matters = only_under(RangeMethod::entropy)});
}

}  // namespace

void add_range_options(std::vector<Option>& table) {
  add_method(table);
  add_min_max(table);
  add_histogram_methods(table);
}

}  // namespace quantsearch::options
