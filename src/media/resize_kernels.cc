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
  for (std::size_t x = 0; x < taps.windows.size(); ++x) {
    const Taps::Window& window = taps.windows[x];
    const std::int32_t* const weights = taps.of(x);
    for (int channel = 0; channel < 4; ++channel) {
      std::int32_t sum = kHalf;
      for (int tap = 0; tap < window.count; ++tap)
        sum += weights[tap * 4] * source[(window.first + tap) * 4 + channel];
      out[x * 4 + static_cast<std::size_t>(channel)] = rounded(sum);
    }
  }
}

#else

/// A vector holds one pixel or two. Two of them are added in turn, so that an addition need not
/// wait for the one before.
void scale_row(const std::uint8_t* HWY_RESTRICT source, const PixelTaps& taps,
               std::uint8_t* HWY_RESTRICT out) {
  const hn::CappedTag<std::int32_t, 8> sums;
  const hn::Rebind<std::uint8_t, decltype(sums)> bytes;
  const hn::FixedTag<std::int32_t, 4> pixel_sums;
  const hn::Rebind<std::uint8_t, decltype(pixel_sums)> pixel;
  const std::size_t lanes = hn::Lanes(sums);
  const auto product = [&](const std::uint8_t* values, const std::int32_t* weights) HWY_ATTR {
    return hn::Mul(hn::PromoteTo(sums, hn::LoadU(bytes, values)), hn::LoadU(sums, weights));
  };
  for (std::size_t x = 0; x < taps.windows.size(); ++x) {
    const std::uint8_t* const values = source + static_cast<std::size_t>(taps.windows[x].first) * 4;
    const std::int32_t* const weights = taps.of(x);
    // Filled up to two pixels.
    const std::size_t count = static_cast<std::size_t>((taps.windows[x].count + 1) / 2) * 8;
    auto even = hn::Zero(sums);
    auto odd = hn::Zero(sums);
    std::size_t i = 0;
    for (; i + 2 * lanes <= count; i += 2 * lanes) {
      even = hn::Add(even, product(values + i, weights + i));
      odd = hn::Add(odd, product(values + i + lanes, weights + i + lanes));
    }
    if (i < count) even = hn::Add(even, product(values + i, weights + i));
    HWY_ALIGN std::int32_t parts[8] = {};
    hn::Store(hn::Add(even, odd), sums, parts);
    const auto sum = hn::Add(hn::Add(hn::Load(pixel_sums, parts), hn::Load(pixel_sums, parts + 4)),
                             hn::Set(pixel_sums, kHalf));
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
