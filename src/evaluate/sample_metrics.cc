#include "evaluate/sample_metrics.h"

#include <algorithm>
#include <cmath>

#include "evaluate/metric_limits.h"
#include "evaluate/pair_sums.h"
#include "evaluate/ssim.h"

namespace quantsearch {

namespace {

double mean(double sum, std::size_t count) { return sum / static_cast<double>(count); }

double cosine(const PairSums& sums) {
  const bool reference_is_zero = sums.squared_reference == 0;
  const bool candidate_is_zero = sums.squared_candidate == 0;
  if (reference_is_zero || candidate_is_zero)
    return reference_is_zero && candidate_is_zero ? 1 : -1;
  // This is a product of roots because the root of the product may overflow.
  const double norms = std::sqrt(sums.squared_reference) * std::sqrt(sums.squared_candidate);
  return std::clamp(sums.product / norms, -1.0, 1.0);
}

double decibel(double signal, double noise) {
  if (noise == 0) return kHighestDecibel;
  if (signal == 0) return kLowestDecibel;
  return std::clamp(10 * std::log10(signal / noise), kLowestDecibel, kHighestDecibel);
}

double value_of(Metric metric, const PairSums& sums, const Sample& reference,
                const Sample& candidate) {
  switch (metric) {
    case Metric::l1:
      return mean(sums.absolute_difference, sums.count);
    case Metric::l2:
      return mean(sums.squared_difference, sums.count);
    case Metric::rel_l2:
      return relative_noise({.signal = sums.squared_reference, .noise = sums.squared_difference});
    case Metric::cos:
      return cosine(sums);
    case Metric::psnr:
      return decibel(sums.peak * sums.peak, mean(sums.squared_difference, sums.count));
    case Metric::ssim:
      return ssim(reference, candidate);
    case Metric::sqnr:
      return decibel(sums.squared_reference, sums.squared_difference);
    case Metric::kl: {
      const std::size_t length = row_length(reference.shape);
      return mean(sum_kl(reference.values, candidate.values, length),
                  reference.values.size() / length);
    }
    case Metric::worst_slice:
    case Metric::top1:
    case Metric::top5:
      break;
  }
  throw InternalError(
      "evaluate: a metric of all samples or of labels was asked of a pair of outputs");
}

}  // namespace

bool is_distance(Metric metric) { return !metric_info(metric).needs_labels; }

bool is_sample_distance(Metric metric) {
  return is_distance(metric) && metric != Metric::worst_slice;
}

double relative_noise(const Energies& energies) {
  if (energies.noise == 0) return 0;
  if (energies.signal == 0) return kWorstRelative;
  return std::min(kWorstRelative, energies.noise / energies.signal);
}

std::optional<Energies> measure_sample(const Sample& reference, const Sample& candidate,
                                       std::span<const Metric> metrics, std::span<double> values,
                                       std::optional<std::size_t> count) {
  if (count.value_or(reference.values.size()) == 0) {  // no elements, no difference
    for (std::size_t i = 0; i < metrics.size(); ++i) values[i] = metric_info(metrics[i]).best;
    return Energies{};
  }
  PairSums sums = sum_pair(reference.values, candidate.values);
  if (!std::isfinite(sums.squared_reference) || !std::isfinite(sums.squared_candidate))
    return std::nullopt;
  sums.count = count.value_or(sums.count);
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    values[i] = value_of(metrics[i], sums, reference, candidate);
  }
  return Energies{.signal = sums.squared_reference, .noise = sums.squared_difference};
}

std::int64_t rank_of_label(std::span<const float> logits, std::int64_t label) {
  const auto own_index = static_cast<std::size_t>(label);
  const float own = logits[own_index];
  std::int64_t before = 0;
  for (std::size_t index = 0; index < logits.size(); ++index) {
    if (std::isnan(own)) {
      before += !std::isnan(logits[index]) || index < own_index ? 1 : 0;
    } else {
      before += logits[index] > own || (logits[index] == own && index < own_index) ? 1 : 0;
    }
  }
  return before;
}

}  // namespace quantsearch
