#pragma once

// The weights of a separable scaling along one axis: each output pixel is a weighted sum of some
// neighbouring source pixels.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "quantsearch/media.h"

namespace quantsearch {

/// Weights are integers that sum to about 2^kTapBits, because the sum of 8-bit pixels times such
/// weights is exact in 32 bits, on every processor.
inline constexpr int kTapBits = 22;

struct Taps {
  struct Window {
    int first = 0;  // source pixel of the first weight
    int count = 0;
  };
  std::vector<Window> windows;        // one for each output pixel
  int longest = 0;                    // weights of a window are `longest` apart
  std::vector<std::int32_t> weights;  // [windows.size(), longest]

  [[nodiscard]] const std::int32_t* of(std::size_t output) const {
    return weights.data() + output * static_cast<std::size_t>(longest);
  }
};

/// The same weights once for each of the four bytes of a pixel, so that several pixels are one
/// vector. A window is filled up with weights of 0 to an even number of pixels.
struct PixelTaps {
  explicit PixelTaps(const Taps& taps);

  const std::vector<Taps::Window>& windows;
  std::size_t stride = 0;  // weights of a window
  std::vector<std::int32_t> weights;

  [[nodiscard]] const std::int32_t* of(std::size_t output) const {
    return weights.data() + output * stride;
  }
};

/// A part of an axis of `scaled` pixels that is made from `source` pixels.
struct AxisPart {
  int source = 0;
  int scaled = 0;
  int first = 0;
  int count = 0;
  // `area`: the other axis is enlarged; both are then interpolated.
  bool other_is_enlarged = false;
};

/// Filters whose width grows with the reduction, so that every source pixel counts: a triangle for
/// bilinear, Keys' cubic with a = -0.5 for bicubic, Lanczos with 3 lobes; `area` weighs source
/// pixels by the part of them that an output pixel covers. Not for `nearest`.
[[nodiscard]] Taps antialiased_taps(const AxisPart& part, Interpolation interpolation);

}  // namespace quantsearch
