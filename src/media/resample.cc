// Resampling by a rational factor up / down with a windowed sinc: between two samples up - 1 zeros
// are put, a low-pass filter removes what lies above the lower of both Nyquist frequencies, and
// every down-th sample is kept. Only products with samples are computed (polyphase). The filter is
// that of scipy.signal.resample_poly: 20 * max(up, down) + 1 taps under a Kaiser window of beta 5.
//   y[m] = sum_n x[n] h[centre + m * down - n * up]

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>

#include "quantsearch/internal/media/sound.h"

namespace quantsearch {

namespace {

/// Modified Bessel function of the first kind and order 0, by its power series.
double bessel_i0(double x) {
  double term = 1;
  double sum = 1;
  for (int k = 1; term > sum * 1e-17; ++k) {
    const double factor = x / (2 * k);
    term *= factor * factor;
    sum += term;
  }
  return sum;
}

/// Taps for a signal of `up` times the rate, of which those of one phase sum to about 1.
std::vector<double> low_pass(std::int64_t up, std::int64_t down) {
  constexpr double kBeta = 5;
  const auto widest = static_cast<double>(std::max(up, down));
  const std::int64_t half = 10 * std::max(up, down);
  std::vector<double> taps;
  for (std::int64_t i = -half; i <= half; ++i) {
    const double x = static_cast<double>(i) / widest;
    const double sinc = i == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
    const double place = static_cast<double>(i) / static_cast<double>(half);
    taps.push_back(sinc * bessel_i0(kBeta * std::sqrt(1 - place * place)) / bessel_i0(kBeta));
  }
  const double sum = std::accumulate(taps.begin(), taps.end(), 0.0);
  for (double& tap : taps) tap *= static_cast<double>(up) / sum;
  return taps;
}

}  // namespace

std::vector<float> resampled(std::span<const float> samples, int from_rate, int to_rate) {
  if (from_rate == to_rate) return {samples.begin(), samples.end()};
  const std::int64_t divisor = std::gcd(from_rate, to_rate);
  const std::int64_t up = to_rate / divisor;
  const std::int64_t down = from_rate / divisor;
  const std::vector<double> taps = low_pass(up, down);
  const auto centre = static_cast<std::int64_t>(taps.size() / 2);
  const auto count = std::ssize(samples);
  std::vector<float> result(static_cast<std::size_t>((count * up + down - 1) / down));
  for (std::int64_t m = 0; m < std::ssize(result); ++m) {
    // The samples whose tap exists: |m * down - n * up| <= centre.
    const std::int64_t place = m * down;
    const std::int64_t first = std::max<std::int64_t>(0, (place - centre + up - 1) / up);
    const std::int64_t last = std::min(count - 1, (place + centre) / up);
    double sum = 0;
    for (std::int64_t n = first; n <= last; ++n) {
      sum += static_cast<double>(samples[static_cast<std::size_t>(n)]) *
             taps[static_cast<std::size_t>(centre + place - n * up)];
    }
    result[static_cast<std::size_t>(m)] = static_cast<float>(sum);
  }
  return result;
}

}  // namespace quantsearch
