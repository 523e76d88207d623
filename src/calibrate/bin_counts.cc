#include "calibrate/bin_counts.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace quantsearch {

namespace {

/// The lowest exponent for which the reciprocal of the width is a float32. Tensors below 2^-115 use
/// only their lowest bins; their scales are below the smallest normal float anyway.
constexpr int kLowestExponent = -126;

/// Blocks of at most this size are counted without the 16-bit counters, which must be allocated,
/// cleared and emptied in every call. The number is a guess that no benchmark has confirmed.
constexpr std::size_t kDirectValues = 1024;

/// The most that one counter can grow by while `values` values are counted.
constexpr std::size_t largest_growth(std::size_t values) {
  return values / kLanes + kLanes * (values / kBatchValues + 1);
}
constexpr std::size_t kLaneLimit = 65535 - largest_growth(kBlockValues);

std::vector<std::uint64_t> merged_neighbours(const std::vector<std::uint64_t>& bins,
                                             int doublings) {
  std::vector<std::uint64_t> merged(bins.size(), 0);
  for (std::size_t bin = 0; bin < bins.size(); ++bin) {
    merged[doublings < 64 ? bin >> doublings : 0] += bins[bin];
  }
  return merged;
}

}  // namespace

BinCounts::BinCounts(int bins) : bin_bits_(std::countr_zero(static_cast<unsigned>(bins))) {
  counts_.exponent = kLowestExponent;
  counts_.negative.resize(static_cast<std::size_t>(bins));
  counts_.positive.resize(static_cast<std::size_t>(bins));
}

int BinCounts::exponent_for(float magnitude) const {
  // 2^ilogb <= magnitude < 2^(ilogb + 1) = bins * width, so the largest value lies in the upper
  // half of the bins.
  if (magnitude == 0) return kLowestExponent;
  return std::max(kLowestExponent, std::ilogb(magnitude) + 1 - bin_bits_);
}

void BinCounts::widen_to(int exponent) {
  if (exponent <= counts_.exponent) return;
  const int doublings = exponent - counts_.exponent;
  counts_.negative = merged_neighbours(counts_.negative, doublings);
  counts_.positive = merged_neighbours(counts_.positive, doublings);
  counts_.exponent = exponent;
}

float BinCounts::inverse_width() const { return std::ldexp(1.0F, -counts_.exponent); }

std::uint64_t& BinCounts::bin_of(float value) {
  const auto bin = static_cast<std::size_t>(std::abs(value) * inverse_width());
  return value < 0 ? counts_.negative[bin] : counts_.positive[bin];
}

void BinCounts::merge(const BinCounts& other) {
  widen_to(other.counts_.exponent);
  const int doublings = counts_.exponent - other.counts_.exponent;
  const auto negative = merged_neighbours(other.counts_.negative, doublings);
  const auto positive = merged_neighbours(other.counts_.positive, doublings);
  for (std::size_t bin = 0; bin < positive.size(); ++bin) {
    counts_.negative[bin] += negative[bin];
    counts_.positive[bin] += positive[bin];
  }
  counts_.zeros += other.counts_.zeros;
}

Histogram BinCounts::histogram() const {
  Histogram histogram = counts_;
  histogram.positive[0] += histogram.zeros;
  return histogram;
}

BinCounts::Counting::Counting(BinCounts& target) : target_(target) {}

void BinCounts::Counting::add(std::span<const float> values, const RunSummary& summary) {
  target_.counts_.zeros += summary.zeros;
  if (summary.zeros == values.size()) return;
  const float magnitude = std::max(std::abs(summary.min), std::abs(summary.max));
  if (target_.exponent_for(magnitude) > target_.counts_.exponent) {
    flush();
    target_.widen_to(target_.exponent_for(magnitude));
  }
  if (summary.min == summary.max) {
    target_.bin_of(summary.min) += values.size();
  } else if (values.size() <= kDirectValues && lanes_ == nullptr) {
    for (const float value : values) {
      if (value != 0) ++target_.bin_of(value);
    }
  } else {
    count_in_lanes(values, summary.zeros);
  }
}

void BinCounts::Counting::count_in_lanes(std::span<const float> values, std::size_t zeros) {
  if (lanes_ == nullptr) {
    lanes_ = std::make_unique<std::uint16_t[]>(2 * target_.counts_.positive.size() * kLanes);
  }
  if (largest_lane_ > kLaneLimit) flush();
  const bool skip_zeros = zeros > values.size() / 16;
  if (!skip_zeros) zeros_in_lanes_ += zeros;
  largest_lane_ += largest_growth(values.size());
  count_values(values,
               {.counts = lanes_.get(),
                .inverse_width = target_.inverse_width(),
                .bin_bits = target_.bin_bits_},
               skip_zeros);
}

void BinCounts::Counting::flush() {
  if (largest_lane_ == 0) return;
  const std::size_t bins = target_.counts_.positive.size();
  const auto take = [&](std::vector<std::uint64_t>& counts, const std::uint16_t* lanes) {
    for (std::size_t bin = 0; bin < bins; ++bin) {
      const std::uint16_t* four = lanes + bin * kLanes;
      counts[bin] += static_cast<std::uint64_t>(four[0]) + four[1] + four[2] + four[3];
    }
  };
  take(target_.counts_.positive, lanes_.get());
  take(target_.counts_.negative, lanes_.get() + bins * kLanes);
  target_.counts_.positive[0] -= zeros_in_lanes_;
  std::fill_n(lanes_.get(), 2 * bins * kLanes, std::uint16_t{0});
  largest_lane_ = 0;
  zeros_in_lanes_ = 0;
}

}  // namespace quantsearch
