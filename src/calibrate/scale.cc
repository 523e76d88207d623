// Scale and zero point of a real range: docs/quantization.md, "Scale and zero point".
//
//   s = (high - low) / (q_high - q_low),   z = rne(q_low - low / s)
//
// where [low, high] always contains 0, so that 0 is represented exactly (Jacob et al. 2018,
// arXiv:1712.05877, section 2.1).

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "quantsearch/base/error.h"
#include "quantsearch/calibrate.h"

namespace quantsearch {

namespace {

/// The range extended to contain 0, limited so that its width does not overflow, and made symmetric
/// when `symmetric` is set.
Range widened(const Range& range, bool symmetric) {
  constexpr double kLargest = static_cast<double>(std::numeric_limits<float>::max()) / 2;
  Range wide{.low = std::clamp(range.low, -kLargest, 0.0),
             .high = std::clamp(range.high, 0.0, kLargest)};
  if (symmetric) {
    wide.high = std::max(-wide.low, wide.high);
    wide.low = -wide.high;
  }
  return wide;
}

/// The nearest M / 2^n where M uses all of its 15 bits. n is as large as the scale needs, so small
/// scales keep their precision.
double nearest_ratio(double scale) {
  constexpr int kBits = 15;
  constexpr double kLargest = 32767;
  if (scale > kLargest) {
    throw Unsupported("scale: " + std::to_string(scale) +
                      " as M / 2^n with a 16-bit M, expected at most 32767");
  }
  int exponent = 0;
  const double fraction = std::frexp(scale, &exponent);  // in [0.5, 1)
  // 2^15 means the next exponent.
  const double numerator = std::nearbyint(std::ldexp(fraction, kBits));
  return std::min(std::ldexp(numerator, exponent - kBits), kLargest);
}

double round_scale(double scale, PowerOfTwoRounding rounding) {
  switch (rounding) {
    case PowerOfTwoRounding::none:
      return scale;
    case PowerOfTwoRounding::nearest:  // nearest in the logarithm: within a factor of sqrt(2)
      return std::ldexp(1.0, -static_cast<int>(std::nearbyint(-std::log2(scale))));
    case PowerOfTwoRounding::up: {
      int exponent = 0;
      const double fraction = std::frexp(scale, &exponent);  // in [0.5, 1)
      return std::ldexp(1.0, fraction == 0.5 ? exponent - 1 : exponent);
    }
    case PowerOfTwoRounding::int16_ratio:
      return nearest_ratio(scale);
  }
  throw InternalError("scale: unknown rounding");
}

bool is_signed(const IntegerLimits& limits) { return limits.low < 0; }

}  // namespace

IntegerLimits integer_limits(DataType type, bool symmetric, bool reduce_range) {
  const auto signed_limits = [&](std::int64_t half) {
    if (reduce_range) return IntegerLimits{.low = -half / 2, .high = half / 2};
    return IntegerLimits{.low = symmetric ? 1 - half : -half, .high = half - 1};
  };
  const auto unsigned_limits = [&](std::int64_t end) {
    return IntegerLimits{.low = 0, .high = (reduce_range ? end / 2 : end) - 1};
  };
  // Only the types of quantized values have limits here.
  if (type == DataType::int4) return {.low = reduce_range ? -4 : -8, .high = reduce_range ? 3 : 7};
  if (type == DataType::uint4) return unsigned_limits(16);
  if (type == DataType::int8) return signed_limits(128);
  if (type == DataType::uint8) return unsigned_limits(256);
  if (type == DataType::int16) return signed_limits(32768);
  if (type == DataType::uint16) return unsigned_limits(65536);
  if (type == DataType::int32) return signed_limits(std::int64_t{1} << 31);
  throw Unsupported("scale: integers of type " + to_string(type) +
                    ", expected int4, uint4, int8, uint8, int16, uint16 or int32");
}

ScaleZeroPoint scale_for(const Range& range, DataType type, bool symmetric, bool reduce_range,
                         PowerOfTwoRounding rounding) {
  const IntegerLimits limits = integer_limits(type, symmetric, reduce_range);
  if (std::isnan(range.low) || std::isnan(range.high)) {
    throw InvalidInput("scale: a range that is NaN, expected two finite numbers");
  }
  const Range wide = widened(range, symmetric);
  const double scale = (wide.high - wide.low) / static_cast<double>(limits.high - limits.low);
  if (scale < static_cast<double>(std::numeric_limits<float>::min())) return {};
  ScaleZeroPoint result{.scale = static_cast<float>(round_scale(scale, rounding)), .zero_point = 0};
  if (symmetric) {
    // Exact: the formula gives 127.5 for uint8, and a rounding error of low / s could make it 127.
    result.zero_point = is_signed(limits) ? 0 : (limits.high + 1) / 2;
  } else {
    // This is the scale before it is rounded to a power of two, so the rounding widens or narrows
    // both ends in proportion.
    result.zero_point = static_cast<std::int64_t>(
        std::nearbyint(static_cast<double>(limits.low) - wide.low / scale));
  }
  return result;
}

}  // namespace quantsearch
