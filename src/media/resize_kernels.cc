#include "media/resize_kernels.h"

#include <algorithm>
#include <cstring>

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

/// One weight of a pair; `half` is 0 or 1.
std::int32_t weight_of(const std::int32_t* pair, std::size_t half) {
  const auto part = [&](std::int32_t both) {
    return static_cast<std::int16_t>(static_cast<std::uint32_t>(both) >> (16 * half));
  };
  return part(pair[0]) * (1 << PairedTaps::kLowBits) + part(pair[1]);
}

std::uint8_t between_rows(std::int32_t value, std::int32_t next, const Between& between) {
  return static_cast<std::uint8_t>(
      (((between.weight() * value) >> 16) + ((between.weight_of_next() * next) >> 16) + 2) >> 2);
}

std::uint8_t scaled_byte(std::span<const std::uint8_t* const> rows, const std::int32_t* weights,
                         std::size_t place) {
  std::int32_t sum = kHalf;
  for (std::size_t row = 0; row < rows.size(); ++row)
    sum += weight_of(weights + row / 2 * 2, row % 2) * rows[row][place];
  return rounded(sum);
}

void pack_pixels(std::span<const std::uint8_t> source, bool reverses_colors, std::uint8_t* out) {
  const std::size_t first = reverses_colors ? 2 : 0;
  for (std::size_t i = 0; i + 4 <= source.size(); i += 4, out += 3) {
    out[0] = source[i + first];
    out[1] = source[i + 1];
    out[2] = source[i + 2 - first];
  }
}

#if HWY_TARGET == HWY_SCALAR

void pack_row(std::span<const std::uint8_t> source, bool reverses_colors, std::uint8_t* out) {
  pack_pixels(source, reverses_colors, out);
}

void scale_rows(const RowGroup<std::uint8_t>& rows, const PairedTaps& taps, bool reverses_colors) {
  for (std::size_t row = 0; row < kRowsTogether; ++row) {
    for (std::size_t x = 0; x < taps.firsts.size(); ++x) {
      const std::uint8_t* const pixels =
          rows.from[row] + static_cast<std::size_t>(taps.firsts[x]) * 4;
      for (std::size_t channel = 0; channel < 3; ++channel) {
        std::int32_t sum = kHalf;
        for (std::size_t tap = 0; tap < 2 * taps.pairs; ++tap)
          sum += weight_of(taps.of(x) + tap / 2 * 2, tap % 2) * pixels[tap * 4 + channel];
        rows.to[row][x * 3 + (reverses_colors ? 2 - channel : channel)] = rounded(sum);
      }
    }
  }
}

void scale_columns(std::span<const std::uint8_t* const> rows, const std::int32_t* weights,
                   std::uint8_t* out, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out[i] = scaled_byte(rows, weights, i);
}

void interpolate_rows(const RowGroup<std::int16_t>& rows, std::span<const Between> columns,
                      bool reverses_colors) {
  for (std::size_t row = 0; row < kRowsTogether; ++row) {
    std::int16_t* out = rows.to[row];
    for (const Between& column : columns) {
      const std::uint8_t* const pixel = rows.from[row] + static_cast<std::size_t>(column.first) * 4;
      for (std::size_t channel = 0; channel < 3; ++channel) {
        const std::int32_t sum =
            pixel[channel] * column.weight() + pixel[4 + channel] * column.weight_of_next();
        out[reverses_colors ? 2 - channel : channel] =
            static_cast<std::int16_t>(sum >> kInterpolatedShift);
      }
      out += 3;
    }
  }
}

#else

/// Sums of products in pairs. Some processors add the products of half of a vector apart.
template <class Sums>
struct PairSums {
  hn::Vec<Sums> sum;
  hn::Vec<Sums> rest;

  // Written out, because constructors of the compiler's are not made for the instruction set.
  HWY_INLINE PairSums() : sum(hn::Zero(Sums())), rest(hn::Zero(Sums())) {}
  template <class Words>
  HWY_INLINE void add(Words values, Words weights) {
    sum = hn::ReorderWidenMulAccumulate(Sums(), values, weights, sum, rest);
  }
  HWY_INLINE hn::Vec<Sums> total() const { return hn::RearrangeToOddPlusEven(sum, rest); }
};

/// The sums of pixels by weights of two parts.
template <class Sums>
struct ScaledSums {
  PairSums<Sums> high;
  PairSums<Sums> low;

  HWY_INLINE ScaledSums() : high(), low() {}
  template <class Words>
  HWY_INLINE void add(Words values, const std::int32_t* weights) {
    const hn::DFromV<Words> words;
    high.add(values, hn::BitCast(words, hn::Set(Sums(), weights[0])));
    low.add(values, hn::BitCast(words, hn::Set(Sums(), weights[1])));
  }
  /// Rounded pixels, which may be out of the range of a byte.
  HWY_INLINE hn::Vec<Sums> total() const {
    const auto sum = hn::Add(hn::ShiftLeft<PairedTaps::kLowBits>(high.total()), low.total());
    return hn::ShiftRight<kTapBits>(hn::Add(sum, hn::Set(Sums(), kHalf)));
  }
};

/// A vector holds four pixels of each of one or two rows, one row to a block of 16 bytes. Narrowing
/// takes the blocks of two vectors in turn, after which the rows are in order.
constexpr std::size_t kBlock = 16;
using RowBytes = hn::CappedTag<std::uint8_t, 2 * kBlock>;
using RowWords = hn::Repartition<std::int16_t, RowBytes>;
using RowSums = hn::Repartition<std::int32_t, RowBytes>;
constexpr std::size_t kRowsOfVector = hn::MaxLanes(RowBytes()) / kBlock;
constexpr std::size_t kVectors = kRowsTogether / kRowsOfVector;

/// Of each block: pixels 0 and 1, or 2 and 3, side by side and widened to 16 bits.
constexpr std::uint8_t kNo = 255;  // makes a byte 0
HWY_ALIGN constexpr std::uint8_t kPairs[2][2][kBlock] = {
    {{0, kNo, 4, kNo, 1, kNo, 5, kNo, 2, kNo, 6, kNo, 3, kNo, 7, kNo},
     {8, kNo, 12, kNo, 9, kNo, 13, kNo, 10, kNo, 14, kNo, 11, kNo, 15, kNo}},
    {{2, kNo, 6, kNo, 1, kNo, 5, kNo, 0, kNo, 4, kNo, 3, kNo, 7, kNo},
     {10, kNo, 14, kNo, 9, kNo, 13, kNo, 8, kNo, 12, kNo, 11, kNo, 15, kNo}}};

/// Four pixels without their fourth byte.
HWY_ALIGN constexpr std::uint8_t kPacked[2][kBlock] = {
    {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, kNo, kNo, kNo, kNo},
    {2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, kNo, kNo, kNo, kNo}};

/// Takes pairs of neighbouring pixels out of rows.
class PixelPairs {
 public:
  HWY_INLINE explicit PixelPairs(bool reverses_colors)
      : first_(hn::LoadDup128(RowBytes(), kPairs[reverses_colors ? 1 : 0][0])),
        second_(hn::LoadDup128(RowBytes(), kPairs[reverses_colors ? 1 : 0][1])) {}

  template <typename Value>
  HWY_INLINE static hn::Vec<RowBytes> load(const RowGroup<Value>& rows, std::size_t vector,
                                           std::size_t place) {
    if constexpr (kRowsOfVector == 2) {
      const hn::Half<RowBytes> half;
      return hn::Combine(RowBytes(), hn::LoadU(half, rows.from[vector + kVectors] + place),
                         hn::LoadU(half, rows.from[vector] + place));
    } else {
      return hn::LoadU(RowBytes(), rows.from[vector] + place);
    }
  }
  HWY_INLINE hn::Vec<RowWords> first(hn::Vec<RowBytes> pixels) const {
    return hn::BitCast(RowWords(), hn::TableLookupBytesOr0(pixels, first_));
  }
  HWY_INLINE hn::Vec<RowWords> second(hn::Vec<RowBytes> pixels) const {
    return hn::BitCast(RowWords(), hn::TableLookupBytesOr0(pixels, second_));
  }

 private:
  hn::Vec<RowBytes> first_;
  hn::Vec<RowBytes> second_;
};

/// `kPairs`: those of a window; 0 for any number. A known number takes a fifth less time.
template <std::size_t kPairs>
void scale_rows_by(const RowGroup<std::uint8_t>& rows, const PairedTaps& taps,
                   bool reverses_colors) {
  const PixelPairs of(reverses_colors);
  const hn::Rebind<std::uint8_t, RowWords> narrow;
  const hn::Repartition<std::uint32_t, decltype(narrow)> pixel;
  // Copies, because bytes that are written could be part of what is referred to.
  const RowGroup<std::uint8_t> group = rows;
  const int* const firsts = taps.firsts.data();
  const std::size_t outputs = taps.firsts.size();
  const std::size_t pairs = kPairs > 0 ? kPairs : taps.pairs;
  const std::int32_t* weights = taps.weights.data();
  for (std::size_t x = 0; x < outputs; ++x) {
    std::size_t place = static_cast<std::size_t>(firsts[x]) * 4;
    ScaledSums<RowSums> scaled[kVectors];
    std::size_t pair = 0;
    for (; pair + 2 <= pairs; pair += 2, place += kBlock, weights += 4) {
      for (std::size_t v = 0; v < kVectors; ++v) {
        const auto pixels = PixelPairs::load(group, v, place);
        scaled[v].add(of.first(pixels), weights);
        scaled[v].add(of.second(pixels), weights + 2);
      }
    }
    if (pair < pairs) {
      for (std::size_t v = 0; v < kVectors; ++v)
        scaled[v].add(of.first(PixelPairs::load(group, v, place)), weights);
      weights += 2;
    }
    for (std::size_t v = 0; v < kVectors; v += 2) {
      const auto both = hn::ReorderDemote2To(RowWords(), scaled[v].total(), scaled[v + 1].total());
      const auto pixels = hn::BitCast(pixel, hn::DemoteTo(narrow, both));
      for (std::size_t row = 0; row < hn::MaxLanes(pixel); ++row) {
        const std::uint32_t value = hn::ExtractLane(pixels, row);
        std::memcpy(group.to[v + row] + x * 3, &value, sizeof value);
      }
    }
  }
}

void scale_rows(const RowGroup<std::uint8_t>& rows, const PairedTaps& taps, bool reverses_colors) {
  switch (taps.pairs) {
    case 1:
      return scale_rows_by<1>(rows, taps, reverses_colors);
    case 2:
      return scale_rows_by<2>(rows, taps, reverses_colors);
    case 3:
      return scale_rows_by<3>(rows, taps, reverses_colors);
    case 4:
      return scale_rows_by<4>(rows, taps, reverses_colors);
    default:
      return scale_rows_by<0>(rows, taps, reverses_colors);
  }
}

/// Bytes are widened to 16 bits, and those of two rows put side by side in each block of 16 bytes,
/// which narrowing reverses.
void scale_columns(std::span<const std::uint8_t* const> rows, const std::int32_t* weights,
                   std::uint8_t* out, std::size_t bytes) {
  const hn::ScalableTag<std::int16_t> words;
  using Sums = hn::RepartitionToWide<decltype(words)>;
  const hn::Rebind<std::uint8_t, decltype(words)> narrow;
  const auto scale_from = [&](std::size_t place) HWY_ATTR {
    ScaledSums<Sums> lower;
    ScaledSums<Sums> upper;
    for (std::size_t row = 0; row < rows.size(); row += 2) {
      const auto a = hn::PromoteTo(words, hn::LoadU(narrow, rows[row] + place));
      const auto b = hn::PromoteTo(words, hn::LoadU(narrow, rows[row + 1] + place));
      lower.add(hn::InterleaveLower(words, a, b), weights + row);
      upper.add(hn::InterleaveUpper(words, a, b), weights + row);
    }
    const auto both = hn::ReorderDemote2To(words, lower.total(), upper.total());
    hn::StoreU(hn::DemoteTo(narrow, both), narrow, out + place);
  };
  const std::size_t lanes = hn::Lanes(words);
  if (bytes < lanes) {
    for (std::size_t i = 0; i < bytes; ++i) out[i] = scaled_byte(rows, weights, i);
    return;
  }
  for (std::size_t i = 0; i + lanes <= bytes; i += lanes) scale_from(i);
  if (bytes % lanes != 0) scale_from(bytes - lanes);
}

void interpolate_rows(const RowGroup<std::int16_t>& rows, std::span<const Between> columns,
                      bool reverses_colors) {
  const PixelPairs of(reverses_colors);
  const hn::Repartition<std::uint64_t, RowWords> pixel;
  const RowGroup<std::int16_t> group = rows;
  for (std::size_t x = 0; x < columns.size(); ++x) {
    const std::size_t place = static_cast<std::size_t>(columns[x].first) * 4;
    const auto weights = hn::BitCast(RowWords(), hn::Set(RowSums(), columns[x].weights));
    PairSums<RowSums> sums[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v)
      sums[v].add(of.first(PixelPairs::load(group, v, place)), weights);
    for (std::size_t v = 0; v < kVectors; v += 2) {
      const auto pixels = hn::BitCast(
          pixel,
          hn::ReorderDemote2To(RowWords(), hn::ShiftRight<kInterpolatedShift>(sums[v].total()),
                               hn::ShiftRight<kInterpolatedShift>(sums[v + 1].total())));
      for (std::size_t row = 0; row < hn::MaxLanes(pixel); ++row) {
        const std::uint64_t value = hn::ExtractLane(pixels, row);
        std::memcpy(group.to[v + row] + x * 3, &value, sizeof value);
      }
    }
  }
}

void pack_row(std::span<const std::uint8_t> source, bool reverses_colors, std::uint8_t* out) {
  const hn::FixedTag<std::uint8_t, 16> bytes;
  const auto packed = hn::Load(bytes, kPacked[reverses_colors ? 1 : 0]);
  std::size_t i = 0;
  // A whole vector is stored, of which the next store replaces the last four bytes.
  for (; i + 24 <= source.size(); i += 16, out += 12) {
    const auto pixels = hn::LoadU(bytes, source.data() + i);
    hn::StoreU(hn::TableLookupBytesOr0(pixels, packed), bytes, out);
  }
  pack_pixels(source.subspan(i), reverses_colors, out);
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

void interpolate_columns(const std::int16_t* row, const std::int16_t* next, const Between& between,
                         std::span<std::uint8_t> out) {
  const hn::ScalableTag<std::int16_t> words;
  const hn::Rebind<std::uint8_t, decltype(words)> narrow;
  const auto weight = hn::Set(words, between.weight());
  const auto weight_of_next = hn::Set(words, between.weight_of_next());
  const auto two = hn::Set(words, std::int16_t{2});
  const std::size_t lanes = hn::Lanes(words);
  std::size_t i = 0;
  for (; i + lanes <= out.size(); i += lanes) {
    const auto sum = hn::Add(hn::MulHigh(hn::LoadU(words, row + i), weight),
                             hn::MulHigh(hn::LoadU(words, next + i), weight_of_next));
    hn::StoreU(hn::DemoteTo(narrow, hn::ShiftRight<2>(hn::Add(sum, two))), narrow, out.data() + i);
  }
  for (; i < out.size(); ++i) out[i] = between_rows(row[i], next[i], between);
}

}  // namespace HWY_NAMESPACE
}  // namespace quantsearch
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quantsearch {

HWY_EXPORT(pack_row);
HWY_EXPORT(scale_rows);
HWY_EXPORT(scale_gray_row);
HWY_EXPORT(scale_columns);
HWY_EXPORT(interpolate_rows);
HWY_EXPORT(interpolate_columns);

void pack_row(std::span<const std::uint8_t> source, bool reverses_colors, std::uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(pack_row)(source, reverses_colors, out);
}

void scale_rows(const RowGroup<std::uint8_t>& rows, const PairedTaps& taps, bool reverses_colors) {
  HWY_DYNAMIC_DISPATCH(scale_rows)(rows, taps, reverses_colors);
}

void scale_gray_row(const std::uint8_t* source, const Taps& taps, std::uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(scale_gray_row)(source, taps, out);
}

void scale_columns(std::span<const std::uint8_t* const> rows, const std::int32_t* weights,
                   std::uint8_t* out, std::size_t bytes) {
  HWY_DYNAMIC_DISPATCH(scale_columns)(rows, weights, out, bytes);
}

void interpolate_rows(const RowGroup<std::int16_t>& rows, std::span<const Between> columns,
                      bool reverses_colors) {
  HWY_DYNAMIC_DISPATCH(interpolate_rows)(rows, columns, reverses_colors);
}

void interpolate_gray_row(const std::uint8_t* source, std::span<const Between> columns,
                          std::int16_t* out) {
  for (const Between& column : columns) {
    const std::uint8_t* const pixel = source + column.first;
    const std::int32_t sum = pixel[0] * column.weight() + pixel[1] * column.weight_of_next();
    *out++ = static_cast<std::int16_t>(sum >> kInterpolatedShift);
  }
}

void interpolate_columns(const std::int16_t* row, const std::int16_t* next, const Between& between,
                         std::span<std::uint8_t> out) {
  HWY_DYNAMIC_DISPATCH(interpolate_columns)(row, next, between, out);
}

}  // namespace quantsearch
#endif
