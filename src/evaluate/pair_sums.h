#pragma once

// One pass over a pair of outputs gives the sums from which most metrics are computed. It is
// vectorized for the current processor.

#include <cstddef>
#include <span>

namespace quantsearch {

/// The sums are doubles, in which squares and products of float32 are exact and cannot overflow.
/// They are therefore finite exactly when every element is.
struct PairSums {
  double absolute_difference = 0;
  double squared_difference = 0;
  double squared_reference = 0;
  double squared_candidate = 0;
  double product = 0;
  double peak = 0;  // largest |reference|
  std::size_t count = 0;
};

/// Both spans have the same length; any length and any values are allowed.
[[nodiscard]] PairSums sum_pair(std::span<const float> reference, std::span<const float> candidate);

/// Sum over rows of KL(softmax(reference row) || softmax(candidate row)) in nats; the value of each
/// row is >= 0. With P = exp(r - max r) / Zr and Q likewise:
///   KL = sum P (log P - log Q)
///      = (1 / Zr) sum exp(r - max r) [(r - max r) - (c - max c)] - log Zr + log Zc
/// which needs no logarithm of a small probability. Preconditions: finite values, and a length that
/// is a multiple of row_length >= 1.
[[nodiscard]] double sum_kl(std::span<const float> reference, std::span<const float> candidate,
                            std::size_t row_length);

}  // namespace quantsearch
