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

/// The same weights for pixels of four bytes, of which four are a group; a window is filled up with
/// weights of 0 to whole groups. Products of pixels and weights are made in 16 bits, so a weight is
/// high * 2^kLowBits + low. A group has its high numbers, then its low ones: those of pixels 0 and
/// 1, side by side and once for each byte of a pixel, and those of pixels 2 and 3.
struct PixelTaps {
  static constexpr int kLowBits = 11;
  static constexpr std::size_t kGroupPixels = 4;
  static constexpr std::size_t kGroupWeights = kGroupPixels * 4;  // high, and as many low

  /// `all` must outlive the object.
  explicit PixelTaps(const Taps& all);

  const Taps& taps;
  std::size_t groups = 0;  // of a window, as many as the longest needs
  std::vector<std::int16_t> weights;

  [[nodiscard]] const std::int16_t* of(std::size_t output) const {
    return weights.data() + output * groups * 2 * kGroupWeights;
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
