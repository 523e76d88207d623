#pragma once

// Structural similarity: Wang, Bovik, Sheikh & Simoncelli 2004, "Image quality assessment: from
// error visibility to structural similarity", https://doi.org/10.1109/TIP.2003.819861:
//
//   ssim(x, y) = (2 mx my + C1) / (mx^2 + my^2 + C1) * (2 sxy + C2) / (sxx + syy + C2),
//   C1 = (0.01 R)^2, C2 = (0.03 R)^2
//
// with means m, variances and covariance s in an 11 x 11 Gaussian window (sigma 1.5), averaged over
// all windows that lie inside the image and over channels. Differences to the paper: R is the range
// (max - min) of the float output, since outputs are not 8-bit images; an output that is not
// image-shaped is one window with equal weights; a fraction 0 / 0 is 1.

#include <array>

#include "evaluate/sample.h"

namespace quantsearch {

constexpr int kSsimWindow = 11;

/// Gaussian weights of one axis of the window; they sum to 1.
[[nodiscard]] std::array<double, kSsimWindow> ssim_weights();

/// First and second moments of a window, and the similarity computed from them.
struct SsimMoments {
  double mean_reference = 0;
  double mean_candidate = 0;
  double variance_reference = 0;
  double variance_candidate = 0;
  double covariance = 0;
};
[[nodiscard]] double ssim_of(const SsimMoments& moments, double range);

/// True for [1, channels, height, width] with both sides at least as long as a window.
[[nodiscard]] bool is_image_shaped(const Shape& shape);

/// Computed with separable filters. Both samples have the same shape and at least one element, and
/// are finite.
[[nodiscard]] double ssim(const Sample& reference, const Sample& candidate);

}  // namespace quantsearch
