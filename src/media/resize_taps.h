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

/// Two 16-bit numbers in one of 32 bits, the first in its lower half.
[[nodiscard]] inline std::int32_t side_by_side(std::int32_t first, std::int32_t second) {
  constexpr std::int32_t kUpper = 1 << 16;
  return (first & (kUpper - 1)) | second * kUpper;
}

/// The same weights for 16-bit products that are added in pairs: a weight is high * 2^kLowBits +
/// low, and two neighbours are the halves of 32 bits. Every window has as many pairs, filled up
/// with weights of 0.
struct PairedTaps {
  static constexpr int kLowBits = 11;

  /// Windows that would reach beyond source pixel `end` begin before their first weight, as far as
  /// there are pixels.
  PairedTaps(const Taps& taps, int end);

  std::size_t pairs = 0;              // of a window
  std::vector<int> firsts;            // source pixel of the first pair, by output pixel
  std::vector<std::int32_t> weights;  // [output pixels, pairs, 2]: high and low of both

  [[nodiscard]] const std::int32_t* of(std::size_t output) const {
    return weights.data() + output * pairs * 2;
  }
};

/// An output pixel between two source pixels, `first` and the next. Their weights, side by side,
/// sum to 2^11; the last source pixel has no next, and all of the weight.
struct Between {
  int first = 0;
  std::int32_t weights = 0;

  [[nodiscard]] std::int16_t weight() const { return static_cast<std::int16_t>(weights); }
  [[nodiscard]] std::int16_t weight_of_next() const {
    return static_cast<std::int16_t>(weights >> 16);
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

/// The nearest two source pixels of each output pixel, as OpenCV's INTER_LINEAR has them.
[[nodiscard]] std::vector<Between> between_pixels(const AxisPart& part);

/// The one source pixel of each output pixel: that at its centre as in Pillow, or that at its upper
/// left corner as in OpenCV.
[[nodiscard]] std::vector<int> nearest_pixels(const AxisPart& part, bool by_center);

}  // namespace quantsearch
