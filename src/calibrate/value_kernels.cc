// Highway compiles everything between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE once for each instruction set.

#include "calibrate/value_kernels.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "calibrate/value_kernels.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace quantsearch::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

RunSummary Summarize(const float* values, std::size_t count) {
  const hn::ScalableTag<float> floats;
  const hn::ScalableTag<double> doubles;
  const hn::Rebind<float, decltype(doubles)> halves;
  const std::size_t lanes = hn::Lanes(floats);
  const std::size_t half = hn::Lanes(doubles);
  RunSummary summary{.min = values[0], .max = values[0]};
  std::size_t at = 0;
  if (count >= lanes) {
    const auto zero = hn::Zero(floats);
    auto low = hn::LoadU(floats, values);
    auto high = low;
    auto sum_low = hn::Zero(doubles), sum_high = hn::Zero(doubles);
    auto squares_low = hn::Zero(doubles), squares_high = hn::Zero(doubles);
    for (; at + lanes <= count; at += lanes) {
      const auto here = hn::LoadU(floats, values + at);
      low = hn::Min(low, here);
      high = hn::Max(high, here);
      summary.zeros += hn::CountTrue(floats, hn::Eq(here, zero));
      const auto first = hn::PromoteTo(doubles, hn::LoadU(halves, values + at));
      const auto second = hn::PromoteTo(doubles, hn::LoadU(halves, values + at + half));
      sum_low = hn::Add(sum_low, first);
      sum_high = hn::Add(sum_high, second);
      squares_low = hn::MulAdd(first, first, squares_low);
      squares_high = hn::MulAdd(second, second, squares_high);
    }
    summary.min = hn::GetLane(hn::MinOfLanes(floats, low));
    summary.max = hn::GetLane(hn::MaxOfLanes(floats, high));
    summary.sum = hn::GetLane(hn::SumOfLanes(doubles, hn::Add(sum_low, sum_high)));
    summary.sum_of_squares = hn::GetLane(hn::SumOfLanes(doubles, hn::Add(squares_low, squares_high)));
  }
  for (; at < count; ++at) {
    const float value = values[at];
    summary.min = std::min(summary.min, value);
    summary.max = std::max(summary.max, value);
    summary.zeros += value == 0 ? 1 : 0;
    summary.sum += value;
    summary.sum_of_squares += static_cast<double>(value) * value;
  }
  return summary;
}

/// Bins of the values, in order; returns how many were written.
template <bool kSkipZeros>
std::size_t FindBins(const float* values, std::size_t count, const LaneBins& bins, std::uint32_t* found) {
  const hn::ScalableTag<float> floats;
  const hn::RebindToSigned<decltype(floats)> integers;
  const hn::RebindToUnsigned<decltype(floats)> unsigneds;
  const std::size_t lanes = hn::Lanes(floats);
  const auto zero = hn::Zero(floats);
  const auto inverse_width = hn::Set(floats, bins.inverse_width);
  const std::uint32_t negative_bins = std::uint32_t{1} << bins.bin_bits;
  const auto offset = hn::Set(unsigneds, negative_bins);
  std::size_t written = 0;
  std::size_t at = 0;
  for (; at + lanes <= count; at += lanes) {
    const auto here = hn::LoadU(floats, values + at);
    const auto bin = hn::BitCast(unsigneds, hn::ConvertTo(integers, hn::Mul(hn::Abs(here), inverse_width)));
    const auto is_negative = hn::RebindMask(unsigneds, hn::Lt(here, zero));
    const auto signed_bin = hn::Or(bin, hn::IfThenElseZero(is_negative, offset));
    if constexpr (kSkipZeros) {
      const auto keep = hn::Ne(here, zero);
      hn::StoreU(hn::Compress(signed_bin, hn::RebindMask(unsigneds, keep)), unsigneds, found + written);
      written += hn::CountTrue(floats, keep);
    } else {
      hn::StoreU(signed_bin, unsigneds, found + written);
      written += lanes;
    }
  }
  for (; at < count; ++at) {
    const float value = values[at];
    if (kSkipZeros && value == 0) continue;
    const auto bin = static_cast<std::uint32_t>(std::abs(value) * bins.inverse_width);
    found[written++] = bin + (value < 0 ? negative_bins : 0);
  }
  return written;
}

void CountValues(const float* values, std::size_t count, const LaneBins& bins, bool skip_zeros) {
  // A whole vector is stored even when few of its lanes are kept.
  alignas(64) std::uint32_t found[kBlockValues + 64];
  const std::size_t written = skip_zeros ? FindBins<true>(values, count, bins, found)
                                         : FindBins<false>(values, count, bins, found);
  std::uint16_t* const counts = bins.counts;
  std::size_t at = 0;
  for (; at + kLanes <= written; at += kLanes) {
    ++counts[found[at] * kLanes];
    ++counts[found[at + 1] * kLanes + 1];
    ++counts[found[at + 2] * kLanes + 2];
    ++counts[found[at + 3] * kLanes + 3];
  }
  for (; at < written; ++at) ++counts[found[at] * kLanes];
}

}  // namespace quantsearch::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quantsearch {

HWY_EXPORT(Summarize);
HWY_EXPORT(CountValues);

RunSummary summarize(std::span<const float> values) {
  return HWY_DYNAMIC_DISPATCH(Summarize)(values.data(), values.size());
}

void count_values(std::span<const float> values, const LaneBins& bins, bool skip_zeros) {
  HWY_DYNAMIC_DISPATCH(CountValues)(values.data(), values.size(), bins, skip_zeros);
}

}  // namespace quantsearch
#endif  // HWY_ONCE
