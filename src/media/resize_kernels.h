#pragma once

// The loops of scaling, for all instruction sets.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "media/resize_taps.h"
#include "quantsearch/internal/media/picture.h"

namespace quantsearch {

/// Copies pixels of four bytes to pixels of three, whose colours are in the same or the reverse
/// order.
void pack_row(std::span<const std::uint8_t> source, bool reverses_colors, std::uint8_t* out);

/// Rows that are narrowed together, so that they share the loads of the weights. The same row may
/// be there several times.
template <typename Value>
struct RowGroup {
  std::array<const std::uint8_t*, kRowsTogether> from = {};
  std::array<Value*, kRowsTogether> to = {};
};
/// Scales rows of pixels of four bytes to one pixel of three for each output pixel, whose colours
/// are in the same or the reverse order. The byte beyond the last pixel is written, too.
void scale_rows(const RowGroup<std::uint8_t>& rows, const PairedTaps& taps, bool reverses_colors);
/// The same for pixels of one byte, without a byte beyond.
void scale_gray_row(const std::uint8_t* source, const Taps& taps, std::uint8_t* out);
/// out[i] = the weighted sum of rows[k][i], for i below `bytes`. `weights` are those of a window of
/// PairedTaps, and there are two rows for each pair.
void scale_columns(std::span<const std::uint8_t* const> rows, const std::int32_t* weights,
                   std::uint8_t* out, std::size_t bytes);

/// Bits that are dropped of the sums of interpolated rows, so that they are numbers of 16 bits.
inline constexpr int kInterpolatedShift = 4;
/// Interpolates rows of pixels of four bytes to three numbers for each output pixel, 128 times the
/// pixels, whose colours are in the same or the reverse order. The number beyond the last one is
/// written, too.
void interpolate_rows(const RowGroup<std::int16_t>& rows, std::span<const Between> columns,
                      bool reverses_colors);
/// The same for pixels of one byte, without a number beyond.
void interpolate_gray_row(const std::uint8_t* source, std::span<const Between> columns,
                          std::int16_t* out);
/// Interpolates between two such rows.
void interpolate_columns(const std::int16_t* row, const std::int16_t* next, const Between& between,
                         std::span<std::uint8_t> out);

}  // namespace quantsearch
