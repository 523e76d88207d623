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

/// Appends the weights of a window, which need not sum to 1, and returns its first source pixel.
/// Weights of all windows lie in one vector, because there are too many for one each.
int filtered(const Filter& filter, double scale, int source, int output,
             std::vector<double>& weights) {
  const double stretch = std::max(scale, 1.0);
  const double reach = filter.support * stretch;
  const double center = (output + 0.5) * scale;
  // The first pixel whose centre is within reach, and the first beyond.
  const double from = center - reach + 0.5;
  const double to = center + reach + 0.5;
  const int first = std::max(0, static_cast<int>(from));
  const int end = std::min(source, static_cast<int>(to));
  for (int pixel = first; pixel < end; ++pixel)
    weights.push_back(filter.weight((pixel - center + 0.5) / stretch));
  return first;
}

/// The part of each source pixel that the output pixel covers.
int covered(double scale, int source, int output, std::vector<double>& weights) {
  const double from = output * scale;
  const double to = std::min(from + scale, static_cast<double>(source));
  const int first = static_cast<int>(from);
  for (int pixel = first; pixel < to; ++pixel)
    weights.push_back(std::min<double>(to, pixel + 1) - std::max<double>(from, pixel));
  return first;
}

/// As OpenCV enlarges by area: an output pixel is one source pixel except at a border, which it
/// crosses in proportion.
int enlarged_by_area(double scale, int source, int output, std::vector<double>& weights) {
  const int first = std::min(static_cast<int>(output * scale), source - 1);
  const double beyond = (output + 1) - (first + 1) / scale;
  const double share = beyond <= 0 || first + 1 >= source ? 0 : beyond - std::floor(beyond);
  weights.push_back(1 - share);
  if (share != 0) weights.push_back(share);
  return first;
}

int add_window(const AxisPart& part, Interpolation interpolation, int output,
               std::vector<double>& weights) {
  const double scale = static_cast<double>(part.source) / part.scaled;
  if (interpolation != Interpolation::area)
    return filtered(filter_of(interpolation), scale, part.source, output, weights);
  return scale < 1 || part.other_is_enlarged ? enlarged_by_area(scale, part.source, output, weights)
                                             : covered(scale, part.source, output, weights);
}

}  // namespace

PairedTaps::PairedTaps(const Taps& taps, int end)
    : pairs((static_cast<std::size_t>(taps.longest) + 1) / 2),
      weights(taps.windows.size() * pairs * 2) {
  constexpr std::int32_t kLow = 1 << kLowBits;
  const int length = static_cast<int>(2 * pairs);
  std::vector<std::int32_t> window(2 * pairs);
  std::int32_t* out = weights.data();
  for (std::size_t output = 0; output < taps.windows.size(); ++output) {
    const auto& [first, count] = taps.windows[output];
    firsts.push_back(std::max(0, std::min(first, end - length)));
    std::ranges::fill(window, 0);
    std::copy_n(taps.of(output), count, window.begin() + (first - firsts.back()));
    for (std::size_t tap = 0; tap < window.size(); tap += 2) {
      const std::int32_t even = (window[tap] + kLow / 2) >> kLowBits;
      const std::int32_t odd = (window[tap + 1] + kLow / 2) >> kLowBits;
      *out++ = side_by_side(even, odd);
      *out++ = side_by_side(window[tap] - even * kLow, window[tap + 1] - odd * kLow);
    }
  }
}

Taps antialiased_taps(const AxisPart& part, Interpolation interpolation) {
  std::vector<double> weights;
  Taps taps;
  for (int output = part.first; output < part.first + part.count; ++output) {
    const std::size_t before = weights.size();
    const int first = add_window(part, interpolation, output, weights);
    const int count = static_cast<int>(weights.size() - before);
    taps.windows.push_back({.first = first, .count = count});
    taps.longest = std::max(taps.longest, count);
  }
  taps.weights.resize(taps.windows.size() * static_cast<std::size_t>(taps.longest));
  const double* from = weights.data();
  std::int32_t* to = taps.weights.data();
  for (const Taps::Window& window : taps.windows) {
    double sum = 0;
    for (int i = 0; i < window.count; ++i) sum += from[i];
    for (int i = 0; i < window.count; ++i) {
      to[i] = static_cast<std::int32_t>(std::round(from[i] / sum * (std::int64_t{1} << kTapBits)));
    }
    from += window.count;
    to += taps.longest;
  }
  return taps;
}

std::vector<Between> between_pixels(const AxisPart& part) {
  constexpr float kOne = 1 << 11;
  const double scale = static_cast<double>(part.source) / part.scaled;
  std::vector<Between> result;
  for (int output = part.first; output < part.first + part.count; ++output) {
    auto place = static_cast<float>((output + 0.5) * scale - 0.5);
    int first = static_cast<int>(std::floor(place));
    place -= static_cast<float>(first);
    if (first < 0) first = 0, place = 0;
    if (first >= part.source - 1) first = part.source - 1, place = 0;
    const auto weight = static_cast<std::int32_t>(std::lrint((1 - place) * kOne));
    const auto weight_of_next = static_cast<std::int32_t>(std::lrint(place * kOne));
    result.push_back({.first = first, .weights = side_by_side(weight, weight_of_next)});
  }
  return result;
}

/// Pillow adds up steps, whose rounding decides where a centre is on a border.
std::vector<int> nearest_pixels(const AxisPart& part, bool by_center) {
  const double scale = static_cast<double>(part.source) / part.scaled;
  std::vector<int> sources;
  double center = scale / 2;
  for (int output = 0; output < part.first + part.count; ++output, center += scale) {
    const int source = static_cast<int>(by_center ? center : output * scale);
    if (output >= part.first) sources.push_back(std::min(source, part.source - 1));
  }
  return sources;
}

}  // namespace quantsearch
