// Highway compiles everything between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE once for each
// instruction set.

#include "calibrate/value_kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "calibrate/value_kernels.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace quantsearch::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

RunSummary summarize(const float* values, std::size_t count) {
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
    summary.sum_of_squares =
        hn::GetLane(hn::SumOfLanes(doubles, hn::Add(squares_low, squares_high)));
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

/// Writes the bins of the values in order and returns how many were written.
template <bool kSkipZeros>
std::size_t find_bins(const float* values, std::size_t count, const LaneBins& bins,
                      std::uint16_t* found) {
  const hn::ScalableTag<float> floats;
  const hn::RebindToSigned<decltype(floats)> integers;
  const hn::RebindToUnsigned<decltype(floats)> unsigneds;
  const hn::Rebind<std::uint16_t, decltype(floats)> shorts;
  const std::size_t lanes = hn::Lanes(floats);
  const auto zero = hn::Zero(floats);
  const auto inverse_width = hn::Set(floats, bins.inverse_width);
  const std::uint32_t negative_bins = std::uint32_t{1} << bins.bin_bits;
  const auto offset = hn::Set(unsigneds, negative_bins);
  std::size_t written = 0;
  std::size_t at = 0;
  for (; at + lanes <= count; at += lanes) {
    const auto here = hn::LoadU(floats, values + at);
    const auto bin =
        hn::BitCast(unsigneds, hn::ConvertTo(integers, hn::Mul(hn::Abs(here), inverse_width)));
    const auto is_negative = hn::RebindMask(unsigneds, hn::Lt(here, zero));
    const auto signed_bin = hn::Or(bin, hn::IfThenElseZero(is_negative, offset));
    if constexpr (kSkipZeros) {
      const auto keep = hn::Ne(here, zero);
      const auto kept = hn::Compress(signed_bin, hn::RebindMask(unsigneds, keep));
      hn::StoreU(hn::DemoteTo(shorts, hn::BitCast(integers, kept)), shorts, found + written);
      written += hn::CountTrue(floats, keep);
    } else {
      hn::StoreU(hn::DemoteTo(shorts, hn::BitCast(integers, signed_bin)), shorts, found + written);
      written += lanes;
    }
  }
  for (; at < count; ++at) {
    const float value = values[at];
    if (kSkipZeros && value == 0) continue;
    const auto bin = static_cast<std::uint32_t>(std::abs(value) * bins.inverse_width);
    found[written++] = static_cast<std::uint16_t>(bin + (value < 0 ? negative_bins : 0));
  }
  return written;
}

/// Bins are read four at a time, because one load and three shifts cost less than four loads.
void count_found(const std::uint16_t* found, std::size_t written, std::uint16_t* counts) {
  std::size_t at = 0;
  for (; at + kLanes <= written; at += kLanes) {
    std::uint64_t four = 0;
    std::memcpy(&four, found + at, sizeof(four));
    ++counts[(four & 0xFFFF) * kLanes];
    ++counts[(four >> 16 & 0xFFFF) * kLanes + 1];
    ++counts[(four >> 32 & 0xFFFF) * kLanes + 2];
    ++counts[(four >> 48) * kLanes + 3];
  }
  for (; at < written; ++at) ++counts[found[at] * kLanes];
}

void count_values(const float* values, std::size_t count, const LaneBins& bins, bool skip_zeros) {
  // A whole vector is stored even when only a few of its lanes are kept.
  alignas(64) std::uint16_t found[kBatchValues + 64];
  for (std::size_t at = 0; at < count; at += kBatchValues) {
    const std::size_t batch = std::min(kBatchValues, count - at);
    const std::size_t written = skip_zeros ? find_bins<true>(values + at, batch, bins, found)
                                           : find_bins<false>(values + at, batch, bins, found);
    count_found(found, written, bins.counts);
  }
}

}  // namespace quantsearch::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quantsearch {

HWY_EXPORT(summarize);
HWY_EXPORT(count_values);

RunSummary summarize(std::span<const float> values) {
  return HWY_DYNAMIC_DISPATCH(summarize)(values.data(), values.size());
}

void count_values(std::span<const float> values, const LaneBins& bins, bool skip_zeros) {
  HWY_DYNAMIC_DISPATCH(count_values)(values.data(), values.size(), bins, skip_zeros);
}

}  // namespace quantsearch
#endif  // HWY_ONCE
