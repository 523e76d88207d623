#pragma once

// The loops of scaling, for all instruction sets.

#include <cstddef>
#include <cstdint>
#include <span>

#include "media/resize_taps.h"

namespace quantsearch {

/// Scales a row of pixels of four bytes to one pixel for each window. Three pixels beyond the end
/// of the row must be readable.
void scale_row(const std::uint8_t* source, const PixelTaps& taps, std::uint8_t* out);
/// The same for pixels of one byte, none of which beyond the end is read.
void scale_gray_row(const std::uint8_t* source, const Taps& taps, std::uint8_t* out);
/// out[i] = the weighted sum of rows[k][i], for i below `bytes`.
void scale_column(std::span<const std::uint8_t* const> rows, const std::int32_t* weights,
                  std::uint8_t* out, std::size_t bytes);

}  // namespace quantsearch
