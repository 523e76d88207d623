#include "evaluate/ssim.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace quantsearch {

namespace {

constexpr double kSigma = 1.5;
constexpr double kLuminance = 0.01;
constexpr double kContrast = 0.03;

double fraction(double numerator, double denominator) {
  return denominator == 0 ? 1 : numerator / denominator;
}

double range_of(std::span<const float> values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return static_cast<double>(*high) - static_cast<double>(*low);
}

double mean_of(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value);
  return sum / static_cast<double>(values.size());
}

double global_ssim(std::span<const float> reference, std::span<const float> candidate,
                   double range) {
  SsimMoments moments{.mean_reference = mean_of(reference), .mean_candidate = mean_of(candidate)};
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double x = static_cast<double>(reference[i]) - moments.mean_reference;
    const double y = static_cast<double>(candidate[i]) - moments.mean_candidate;
    moments.variance_reference += x * x;
    moments.variance_candidate += y * y;
    moments.covariance += x * y;
  }
  const auto count = static_cast<double>(reference.size());
  moments.variance_reference /= count;
  moments.variance_candidate /= count;
  moments.covariance /= count;
  return ssim_of(moments, range);
}

// One row of an image after the filter along x. The filtered values of these five products are the
// moments of a window.
struct FilteredRow {
  std::vector<double> reference, candidate, reference_squared, candidate_squared, product;

  explicit FilteredRow(std::size_t width)
      : reference(width),
        candidate(width),
        reference_squared(width),
        candidate_squared(width),
        product(width) {}
};

void add_weighted(double weight, const std::vector<double>& from, std::vector<double>& to) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += weight * from[i];
}

// Values are shifted by the mean of their image first, so that E[x^2] - E[x]^2 loses no digits to a
// large offset.
void filter_row(const float* reference, const float* candidate, double reference_shift,
                double candidate_shift, const std::array<double, kSsimWindow>& weights,
                FilteredRow& row) {
  for (std::size_t x = 0; x < row.reference.size(); ++x) {
    double sums[5] = {};
    for (std::size_t tap = 0; tap < kSsimWindow; ++tap) {
      const double a = static_cast<double>(reference[x + tap]) - reference_shift;
      const double b = static_cast<double>(candidate[x + tap]) - candidate_shift;
      sums[0] += weights[tap] * a;
      sums[1] += weights[tap] * b;
      sums[2] += weights[tap] * a * a;
      sums[3] += weights[tap] * b * b;
      sums[4] += weights[tap] * a * b;
    }
    row.reference[x] = sums[0];
    row.candidate[x] = sums[1];
    row.reference_squared[x] = sums[2];
    row.candidate_squared[x] = sums[3];
    row.product[x] = sums[4];
  }
}

struct Plane {
  std::span<const float> reference;
  std::span<const float> candidate;
  std::size_t width = 0;
};

// Sum over all windows of one channel.
double plane_sum(const Plane& plane, double range) {
  const std::array<double, kSsimWindow> weights = ssim_weights();
  const std::size_t height = plane.reference.size() / plane.width;
  const std::size_t windows = plane.width - kSsimWindow + 1;
  const double reference_shift = mean_of(plane.reference);
  const double candidate_shift = mean_of(plane.candidate);
  // The last 11 rows, by row number modulo 11.
  std::vector<FilteredRow> rows(kSsimWindow, FilteredRow(windows));
  double sum = 0;
  for (std::size_t y = 0; y < height; ++y) {
    filter_row(plane.reference.data() + y * plane.width, plane.candidate.data() + y * plane.width,
               reference_shift, candidate_shift, weights, rows[y % kSsimWindow]);
    if (y + 1 < kSsimWindow) continue;
    FilteredRow total(windows);
    for (std::size_t tap = 0; tap < kSsimWindow; ++tap) {
      const FilteredRow& row = rows[(y + 1 + tap) % kSsimWindow];
      add_weighted(weights[tap], row.reference, total.reference);
      add_weighted(weights[tap], row.candidate, total.candidate);
      add_weighted(weights[tap], row.reference_squared, total.reference_squared);
      add_weighted(weights[tap], row.candidate_squared, total.candidate_squared);
      add_weighted(weights[tap], row.product, total.product);
    }
    for (std::size_t x = 0; x < windows; ++x) {
      const double a = total.reference[x];
      const double b = total.candidate[x];
      sum += ssim_of({.mean_reference = a + reference_shift,
                      .mean_candidate = b + candidate_shift,
                      .variance_reference = std::max(0.0, total.reference_squared[x] - a * a),
                      .variance_candidate = std::max(0.0, total.candidate_squared[x] - b * b),
                      .covariance = total.product[x] - a * b},
                     range);
    }
  }
  return sum;
}

}  // namespace

std::array<double, kSsimWindow> ssim_weights() {
  std::array<double, kSsimWindow> weights{};
  constexpr int kCentre = kSsimWindow / 2;
  double sum = 0;
  for (int tap = 0; tap < kSsimWindow; ++tap) {
    const double distance = tap - kCentre;
    weights[static_cast<std::size_t>(tap)] = std::exp(-distance * distance / (2 * kSigma * kSigma));
    sum += weights[static_cast<std::size_t>(tap)];
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

double ssim_of(const SsimMoments& moments, double range) {
  const double c1 = kLuminance * range * kLuminance * range;
  const double c2 = kContrast * range * kContrast * range;
  const double a = moments.mean_reference;
  const double b = moments.mean_candidate;
  return fraction(2 * a * b + c1, a * a + b * b + c1) *
         fraction(2 * moments.covariance + c2,
                  moments.variance_reference + moments.variance_candidate + c2);
}

bool is_image_shaped(const Shape& shape) {
  return shape.size() == 4 && shape[2] >= kSsimWindow && shape[3] >= kSsimWindow;
}

double ssim(const Sample& reference, const Sample& candidate) {
  const double range = range_of(reference.values);
  if (!is_image_shaped(reference.shape))
    return global_ssim(reference.values, candidate.values, range);
  const auto height = static_cast<std::size_t>(reference.shape[2]);
  const auto width = static_cast<std::size_t>(reference.shape[3]);
  const std::size_t planes = reference.values.size() / (height * width);
  double sum = 0;
  for (std::size_t plane = 0; plane < planes; ++plane) {
    sum += plane_sum({.reference = reference.values.subspan(plane * height * width, height * width),
                      .candidate = candidate.values.subspan(plane * height * width, height * width),
                      .width = width},
                     range);
  }
  const auto windows =
      static_cast<double>(planes * (height - kSsimWindow + 1) * (width - kSsimWindow + 1));
  return sum / windows;
}

}  // namespace quantsearch
