// The definitions of the metrics, written for readers. Only the constants and the slices of
// worst_slice are shared with the fast path.

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "evaluate/metric_limits.h"
#include "evaluate/sample_metrics.h"
#include "evaluate/slices.h"
#include "evaluate/ssim.h"
#include "quantsearch/base/error.h"
#include "quantsearch/evaluate.h"

namespace quantsearch {

namespace {

using Values = std::vector<double>;

Values values_of(const Tensor& tensor) {
  const Tensor floats = to_float32(tensor);
  const auto values = floats.values<float>();
  return {values.begin(), values.end()};
}

double energy(const Values& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return sum;
}

double mean(const Values& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

Values difference(const Values& reference, const Values& candidate) {
  Values result(reference.size());
  for (std::size_t i = 0; i < reference.size(); ++i) result[i] = reference[i] - candidate[i];
  return result;
}

double mean_absolute(const Values& values) {
  double sum = 0;
  for (const double value : values) sum += std::abs(value);
  return sum / static_cast<double>(values.size());
}

double largest_magnitude(const Values& values) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

double ratio_in_decibel(double signal, double noise) {
  if (noise == 0) return kHighestDecibel;
  if (signal == 0) return kLowestDecibel;
  return std::clamp(10 * std::log10(signal / noise), kLowestDecibel, kHighestDecibel);
}

double relative_energy(const Values& reference, const Values& candidate) {
  const double noise = energy(difference(reference, candidate));
  if (noise == 0) return 0;
  if (energy(reference) == 0) return kWorstRelative;
  return std::min(kWorstRelative, noise / energy(reference));
}

/// The slices are computed as if the reference were the only sample.
double worst_of_slices(const Tensor& reference, const Tensor& candidate) {
  const Tensor x = to_float32(reference);
  const Tensor y = to_float32(candidate);
  const ValueInfo undeclared;
  SliceSurvey survey(undeclared);
  survey.add(sample_of(x, 0, 1));
  const OutputSlices slices = survey.slices();
  std::vector<double> noise(slices.energies.size());
  add_slice_noise(slices, sample_of(x, 0, 1), sample_of(y, 0, 1), noise);
  return worst_relative_noise(slices.energies, noise);
}

double cosine(const Values& reference, const Values& candidate) {
  const double norm_of_reference = std::sqrt(energy(reference));
  const double norm_of_candidate = std::sqrt(energy(candidate));
  if (norm_of_reference == 0 && norm_of_candidate == 0) return 1;
  if (norm_of_reference == 0 || norm_of_candidate == 0) return -1;
  double sum = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) sum += reference[i] * candidate[i];
  return std::clamp(sum / (norm_of_reference * norm_of_candidate), -1.0, 1.0);
}

Values log_softmax(Values row) {
  const double largest = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (const double value : row) sum += std::exp(value - largest);
  for (double& value : row) value = value - largest - std::log(sum);
  return row;
}

double divergence(const Values& reference, const Values& candidate, std::size_t row_length) {
  double sum = 0;
  std::size_t rows = 0;
  for (std::size_t start = 0; start < reference.size(); start += row_length, ++rows) {
    const auto row_of = [&](const Values& all) {
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(start);
      return log_softmax(Values(begin, begin + static_cast<std::ptrdiff_t>(row_length)));
    };
    const Values log_p = row_of(reference);
    const Values log_q = row_of(candidate);
    double row_sum = 0;
    for (std::size_t i = 0; i < row_length; ++i)
      row_sum += std::exp(log_p[i]) * (log_p[i] - log_q[i]);
    sum += std::max(0.0, row_sum);
  }
  return sum / static_cast<double>(rows);
}

// SSIM of one window, from the moments of its elements weighted by `weights` (which sum to 1).
// Means are computed relative to the first element, so that a constant window has a variance of
// exactly 0.
double similarity_of_window(const Values& reference, const Values& candidate, const Values& weights,
                            double range) {
  SsimMoments moments{.mean_reference = reference[0], .mean_candidate = candidate[0]};
  for (std::size_t i = 0; i < weights.size(); ++i) {
    moments.mean_reference += weights[i] * (reference[i] - reference[0]);
    moments.mean_candidate += weights[i] * (candidate[i] - candidate[0]);
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double a = reference[i] - moments.mean_reference;
    const double b = candidate[i] - moments.mean_candidate;
    moments.variance_reference += weights[i] * a * a;
    moments.variance_candidate += weights[i] * b * b;
    moments.covariance += weights[i] * a * b;
  }
  return ssim_of(moments, range);
}

Values window_of(const Values& image, std::size_t origin, std::size_t width) {
  Values window;
  for (std::size_t y = 0; y < kSsimWindow; ++y) {
    for (std::size_t x = 0; x < kSsimWindow; ++x) window.push_back(image[origin + y * width + x]);
  }
  return window;
}

double similarity(const Values& reference, const Values& candidate, const Shape& shape) {
  const auto [low, high] = std::minmax_element(reference.begin(), reference.end());
  const double range = *high - *low;
  if (!is_image_shaped(shape)) {
    const Values equal(reference.size(), 1.0 / static_cast<double>(reference.size()));
    return similarity_of_window(reference, candidate, equal, range);
  }
  const auto height = static_cast<std::size_t>(shape[2]);
  const auto width = static_cast<std::size_t>(shape[3]);
  Values weights;
  for (const double vertical : ssim_weights()) {
    for (const double horizontal : ssim_weights()) weights.push_back(vertical * horizontal);
  }
  Values of_windows;
  for (std::size_t plane = 0; plane < reference.size() / (height * width); ++plane) {
    for (std::size_t y = 0; y + kSsimWindow <= height; ++y) {
      for (std::size_t x = 0; x + kSsimWindow <= width; ++x) {
        const std::size_t origin = (plane * height + y) * width + x;
        of_windows.push_back(similarity_of_window(window_of(reference, origin, width),
                                                  window_of(candidate, origin, width), weights,
                                                  range));
      }
    }
  }
  return mean(of_windows);
}

void require_finite(const Values& values, const char* side) {
  for (const double value : values) {
    if (!std::isfinite(value)) {
      throw InvalidInput(
          fmt::format("compare: the {} holds {}, expected finite values", side, value));
    }
  }
}

}  // namespace

double compare(Metric metric, const Tensor& reference, const Tensor& candidate) {
  if (reference.shape() != candidate.shape()) {
    throw InvalidInput(
        fmt::format("compare: the candidate has shape {}, expected that of the reference, {}",
                    to_string(candidate.shape()), to_string(reference.shape())));
  }
  if (!is_distance(metric)) {
    throw InvalidInput(
        fmt::format("compare: '{}' needs labels, which a pair of tensors does not have",
                    metric_info(metric).name));
  }
  const Values x = values_of(reference);
  const Values y = values_of(candidate);
  require_finite(x, "reference");
  require_finite(y, "candidate");
  if (x.empty()) return metric_info(metric).best;
  const Values noise = difference(x, y);
  const double peak = largest_magnitude(x);
  switch (metric) {
    case Metric::l1:
      return mean_absolute(noise);
    case Metric::l2:
      return energy(noise) / static_cast<double>(noise.size());
    case Metric::rel_l2:
      return relative_energy(x, y);
    case Metric::worst_slice:
      return worst_of_slices(reference, candidate);
    case Metric::cos:
      return cosine(x, y);
    case Metric::psnr:
      return ratio_in_decibel(peak * peak, energy(noise) / static_cast<double>(noise.size()));
    case Metric::ssim:
      return similarity(x, y, reference.shape());
    case Metric::sqnr:
      return ratio_in_decibel(energy(x), energy(noise));
    case Metric::kl:
      return divergence(x, y, row_length(reference.shape()));
    case Metric::top1:
    case Metric::top5:
      break;
  }
  throw InternalError("compare: unknown metric");
}

double top_k(const Tensor& logits, std::span<const std::int64_t> labels, int k) {
  const auto rows = static_cast<std::int64_t>(labels.size());
  if (k < 1) throw InvalidInput(fmt::format("top-k: k is {}, expected at least 1", k));
  if (logits.shape().size() != 2 || logits.shape()[0] != rows || rows == 0) {
    throw InvalidInput(
        fmt::format("top-k: the logits have shape {}, expected [{}, classes] for {} labels",
                    to_string(logits.shape()), rows, rows));
  }
  const Tensor floats = to_float32(logits);
  const std::int64_t classes = logits.shape()[1];
  std::int64_t hits = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t label = labels[static_cast<std::size_t>(row)];
    if (label < 0 || label >= classes) {
      throw InvalidInput(
          fmt::format("top-k: label {} of row {} is not one of {} classes", label, row, classes));
    }
    const auto of_row = floats.values<float>().subspan(static_cast<std::size_t>(row * classes),
                                                       static_cast<std::size_t>(classes));
    hits += rank_of_label(of_row, label) < k ? 1 : 0;
  }
  return static_cast<double>(hits) / static_cast<double>(rows);
}

}  // namespace quantsearch
