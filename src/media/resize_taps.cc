// Positions are as in Pillow: pixel i of n output pixels has its centre at (i + 0.5) * source / n
// in the source, whose pixel j has its centre at j + 0.5.

#include "media/resize_taps.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

struct Filter {
  double (*weight)(double distance);
  double support;  // the weight is 0 beyond this distance
};

double triangle(double x) { return std::max(0.0, 1 - std::abs(x)); }

/// R. Keys (1981), "Cubic convolution interpolation for digital image processing", a = -0.5.
double cubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0;
}

double sinc(double x) {
  if (x == 0) return 1;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double lanczos(double x) {
  constexpr double kLobes = 3;
  return x >= -kLobes && x < kLobes ? sinc(x) * sinc(x / kLobes) : 0;
}

Filter filter_of(Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::bilinear:
      return {.weight = triangle, .support = 1};
    case Interpolation::bicubic:
      return {.weight = cubic, .support = 2};
    case Interpolation::lanczos:
      return {.weight = lanczos, .support = 3};
    case Interpolation::nearest:
    case Interpolation::area:
      break;
  }
  throw InternalError("media: this interpolation has no filter");
}

/// The source pixels of a window with their weights, which need not sum to 1.
struct Weighted {
  int first = 0;
  std::vector<double> weights;
};

Weighted filtered(const Filter& filter, double scale, int source, int output) {
  const double stretch = std::max(scale, 1.0);
  const double reach = filter.support * stretch;
  const double center = (output + 0.5) * scale;
  // The first pixel whose centre is within reach, and the first beyond.
  const double from = center - reach + 0.5;
  const double to = center + reach + 0.5;
  const int first = std::max(0, static_cast<int>(from));
  const int end = std::min(source, static_cast<int>(to));
  Weighted window{.first = first, .weights = {}};
  for (int pixel = first; pixel < end; ++pixel)
    window.weights.push_back(filter.weight((pixel - center + 0.5) / stretch));
  return window;
}

/// The part of each source pixel that the output pixel covers.
Weighted covered(double scale, int source, int output) {
  const double from = output * scale;
  const double to = std::min(from + scale, static_cast<double>(source));
  Weighted window{.first = static_cast<int>(from), .weights = {}};
  for (int pixel = window.first; pixel < to; ++pixel) {
    window.weights.push_back(std::min<double>(to, pixel + 1) - std::max<double>(from, pixel));
  }
  return window;
}

/// As OpenCV enlarges by area: an output pixel is one source pixel except at a border, which it
/// crosses in proportion.
Weighted enlarged_by_area(double scale, int source, int output) {
  const int first = std::min(static_cast<int>(output * scale), source - 1);
  const double beyond = (output + 1) - (first + 1) / scale;
  const double share = beyond <= 0 || first + 1 >= source ? 0 : beyond - std::floor(beyond);
  if (share == 0) return {.first = first, .weights = {1}};
  return {.first = first, .weights = {1 - share, share}};
}

Weighted window_of(const AxisPart& part, Interpolation interpolation, int output) {
  const double scale = static_cast<double>(part.source) / part.scaled;
  if (interpolation != Interpolation::area)
    return filtered(filter_of(interpolation), scale, part.source, output);
  return scale < 1 || part.other_is_enlarged ? enlarged_by_area(scale, part.source, output)
                                             : covered(scale, part.source, output);
}

}  // namespace

PixelTaps::PixelTaps(const Taps& taps)
    : windows(taps.windows),
      stride(static_cast<std::size_t>(taps.longest + taps.longest % 2) * 4),
      weights(windows.size() * stride) {
  for (std::size_t output = 0; output < windows.size(); ++output) {
    std::int32_t* to = weights.data() + output * stride;
    for (int tap = 0; tap < windows[output].count; ++tap, to += 4)
      std::fill_n(to, 4, taps.of(output)[tap]);
  }
}

Taps antialiased_taps(const AxisPart& part, Interpolation interpolation) {
  std::vector<Weighted> windows;
  Taps taps;
  for (int output = part.first; output < part.first + part.count; ++output) {
    windows.push_back(window_of(part, interpolation, output));
    taps.longest = std::max(taps.longest, static_cast<int>(windows.back().weights.size()));
  }
  taps.weights.resize(windows.size() * static_cast<std::size_t>(taps.longest));
  for (std::size_t output = 0; output < windows.size(); ++output) {
    const Weighted& window = windows[output];
    taps.windows.push_back(
        {.first = window.first, .count = static_cast<int>(window.weights.size())});
    double sum = 0;
    for (const double weight : window.weights) sum += weight;
    for (std::size_t i = 0; i < window.weights.size(); ++i) {
      taps.weights[output * static_cast<std::size_t>(taps.longest) + i] = static_cast<std::int32_t>(
          std::round(window.weights[i] / sum * (std::int64_t{1} << kTapBits)));
    }
  }
  return taps;
}

}  // namespace quantsearch
