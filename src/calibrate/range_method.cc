#include "quantsearch/base/error.h"
#include "quantsearch/calibrate.h"

namespace quantsearch {

std::string to_string(RangeMethod method) {
  switch (method) {
    case RangeMethod::min_max:
      return "MinMax";
    case RangeMethod::percentile:
      return "Percentile";
    case RangeMethod::entropy:
      return "Entropy";
    case RangeMethod::layer_wise_percentile:
      return "LayerWisePercentile";
    case RangeMethod::min_mse:
      return "CalibrationMethod.MinMSE";
    case RangeMethod::power_of_two_non_overflow:
      return "PowerOfTwoMethod.NonOverflow";
    case RangeMethod::power_of_two_min_mse:
      return "PowerOfTwoMethod.MinMSE";
  }
  throw InternalError("choose ranges: unknown method");
}

bool is_power_of_two(RangeMethod method) {
  return method == RangeMethod::power_of_two_non_overflow ||
         method == RangeMethod::power_of_two_min_mse;
}

bool reads_integer_type(RangeMethod method) {
  switch (method) {
    case RangeMethod::min_max:
    case RangeMethod::percentile:
      return false;
    case RangeMethod::entropy:
    case RangeMethod::layer_wise_percentile:
    case RangeMethod::min_mse:
    case RangeMethod::power_of_two_non_overflow:
    case RangeMethod::power_of_two_min_mse:
      return true;
  }
  return true;
}

}  // namespace quantsearch
