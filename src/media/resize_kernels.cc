#include "media/resize_kernels.h"

#include <algorithm>

// Highway compiles everything between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE once for each
// instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "media/resize_kernels.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace quantsearch {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::int32_t kHalf = 1 << (kTapBits - 1);

std::uint8_t rounded(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kTapBits, 0, 255));
}

#if HWY_TARGET == HWY_SCALAR

void scale_row(const std::uint8_t* HWY_RESTRICT source, const PixelTaps& taps,
               std::uint8_t* HWY_RESTRICT out) {
  for (std::size_t x = 0; x < taps.taps.windows.size(); ++x) {
    const Taps::Window& window = taps.taps.windows[x];
    const std::int32_t* const weights = taps.taps.of(x);
    for (int channel = 0; channel < 4; ++channel) {
      std::int32_t sum = kHalf;
      for (int tap = 0; tap < window.count; ++tap)
        sum += weights[tap] * source[(window.first + tap) * 4 + channel];
      out[x * 4 + static_cast<std::size_t>(channel)] = rounded(sum);
    }
  }
}

#else

/// The sum of the pixels of a vector, of which there are two or one.
template <class Pixel, class Sums, class Vector>
HWY_INLINE auto one_pixel(Pixel pixel, Sums sums, Vector parts) {
  if constexpr (hn::MaxLanes(sums) > hn::MaxLanes(pixel)) {
    return hn::Add(hn::LowerHalf(pixel, parts), hn::UpperHalf(pixel, parts));
  } else {
    return parts;
  }
}

/// A vector holds a group of pixels, or half of one. Two pixels are side by side in it byte by
/// byte, so that one instruction adds the products of both.
void scale_row(const std::uint8_t* HWY_RESTRICT source, const PixelTaps& taps,
               std::uint8_t* HWY_RESTRICT out) {
  constexpr std::size_t kGroup = PixelTaps::kGroupWeights;
  const hn::CappedTag<std::int16_t, kGroup> words;
  const hn::Rebind<std::uint8_t, decltype(words)> bytes;
  const hn::RepartitionToWide<decltype(words)> sums;
  const hn::FixedTag<std::int32_t, 4> pixel_sums;
  const hn::Rebind<std::uint8_t, decltype(pixel_sums)> pixel;
  HWY_ALIGN static constexpr std::uint8_t kSideBySide[kGroup] = {0, 4,  1, 5,  2,  6,  3,  7,
                                                                 8, 12, 9, 13, 10, 14, 11, 15};
  const auto side_by_side = hn::Load(bytes, kSideBySide);
  const std::size_t lanes = hn::Lanes(words);
  // Copies, because bytes that are written could be part of what `taps` refers to.
  const Taps::Window* const windows = taps.taps.windows.data();
  const std::size_t outputs = taps.taps.windows.size();
  const std::size_t stride = taps.groups * 2 * kGroup;
  const std::int16_t* weights = taps.weights.data();
  for (std::size_t x = 0; x < outputs; ++x, weights += stride) {
    const std::uint8_t* pixels = source + static_cast<std::size_t>(windows[x].first) * 4;
    const std::uint8_t* const end = pixels + static_cast<std::size_t>(windows[x].count) * 4;
    const std::int16_t* of_group = weights;
    auto high = hn::Zero(sums);
    auto high_rest = hn::Zero(sums);
    auto low = hn::Zero(sums);
    auto low_rest = hn::Zero(sums);
    do {
      for (std::size_t part = 0; part < kGroup; part += lanes) {
        const auto values = hn::PromoteTo(
            words, hn::TableLookupBytes(hn::LoadU(bytes, pixels + part), side_by_side));
        high = hn::ReorderWidenMulAccumulate(sums, values, hn::LoadU(words, of_group + part), high,
                                             high_rest);
        low = hn::ReorderWidenMulAccumulate(
            sums, values, hn::LoadU(words, of_group + kGroup + part), low, low_rest);
      }
      pixels += kGroup;
      of_group += 2 * kGroup;
    } while (pixels < end);
    const auto parts =
        hn::Add(hn::ShiftLeft<PixelTaps::kLowBits>(hn::RearrangeToOddPlusEven(high, high_rest)),
                hn::RearrangeToOddPlusEven(low, low_rest));
    const auto sum = hn::Add(one_pixel(pixel_sums, sums, parts), hn::Set(pixel_sums, kHalf));
    hn::StoreU(hn::DemoteTo(pixel, hn::ShiftRight<kTapBits>(sum)), pixel, out + x * 4);
  }
}
#endif

void scale_gray_row(const std::uint8_t* HWY_RESTRICT source, const Taps& taps,
                    std::uint8_t* HWY_RESTRICT out) {
  for (std::size_t x = 0; x < taps.windows.size(); ++x) {
    const Taps::Window& window = taps.windows[x];
    const std::int32_t* const weights = taps.of(x);
    std::int32_t sum = kHalf;
    for (int tap = 0; tap < window.count; ++tap) sum += weights[tap] * source[window.first + tap];
    out[x] = rounded(sum);
  }
}

void scale_column(std::span<const std::uint8_t* const> rows,
                  const std::int32_t* HWY_RESTRICT weights, std::uint8_t* HWY_RESTRICT out,
                  std::size_t count) {
  const hn::ScalableTag<std::int32_t> sums;
  const hn::Rebind<std::uint8_t, decltype(sums)> bytes;
  const std::size_t lanes = hn::Lanes(sums);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    auto sum = hn::Set(sums, kHalf);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      sum = hn::Add(sum, hn::Mul(hn::PromoteTo(sums, hn::LoadU(bytes, rows[row] + i)),
                                 hn::Set(sums, weights[row])));
    }
    hn::StoreU(hn::DemoteTo(bytes, hn::ShiftRight<kTapBits>(sum)), bytes, out + i);
  }
  for (; i < count; ++i) {
    std::int32_t sum = kHalf;
    for (std::size_t row = 0; row < rows.size(); ++row) sum += weights[row] * rows[row][i];
    out[i] = rounded(sum);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace quantsearch
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quantsearch {

HWY_EXPORT(scale_row);
HWY_EXPORT(scale_gray_row);
HWY_EXPORT(scale_column);

void scale_row(const std::uint8_t* source, const PixelTaps& taps, std::uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(scale_row)(source, taps, out);
}

void scale_gray_row(const std::uint8_t* source, const Taps& taps, std::uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(scale_gray_row)(source, taps, out);
}

void scale_column(std::span<const std::uint8_t* const> rows, const std::int32_t* weights,
                  std::uint8_t* out, std::size_t bytes) {
  HWY_DYNAMIC_DISPATCH(scale_column)(rows, weights, out, bytes);
}

}  // namespace quantsearch
#endif
