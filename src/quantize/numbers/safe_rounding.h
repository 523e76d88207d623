#pragma once

// Rounds the weights of an output channel to integers whose pairs are safe (docs/targets.md), so
// that the output is expected to change least.

#include <cstdint>
#include <span>
#include <vector>

#include "quantsearch/quantize.h"

namespace quantsearch {

/// What the weights of a row meet. With errors e of the weights, the output is expected to be off
/// by
///   sum over channels of variance * ((1 - correlation) * sum(e^2) + correlation * sum(e)^2)
/// squared, and by the square of sum(mean * e) on average. The defaults leave the plain sum of
/// squares.
struct InputMoments {
  std::int64_t positions = 1;    // weights of a row that meet one channel: those of the kernel
  double correlation = 0;        // between the positions of a channel
  std::vector<double> mean;      // [channels]
  std::vector<double> variance;  // [channels], above zero

  [[nodiscard]] std::size_t channel_of(std::size_t column) const {
    return column / static_cast<std::size_t>(positions);
  }
};

struct RowGrid {
  ScaleZeroPoint params;
  IntegerLimits limits;
};

/// Integers of one row of weights.
struct SafeRow {
  std::vector<std::int32_t> integers;  // [columns]
  // [columns]: wanted value minus integer, in units of the scale.
  std::vector<double> errors;
  // Integers that rounding alone would have given another value.
  int moved = 0;
};
/// Rounds `row`; pairs that rounding leaves unsafe move to the safe ones that cost least.
[[nodiscard]] SafeRow round_safely(std::span<const float> row, const RowGrid& grid,
                                   std::span<const WeightPair> pairs, const InputMoments& moments);

/// In units of the squared scale, without the mean, which take_up_mean removes almost entirely.
[[nodiscard]] double expected_error(const SafeRow& row, const InputMoments& moments);

/// Moves integers by single steps, each time the one that lowers the expected error and the squared
/// mean most, until none does. Pairs stay safe.
void take_up_mean(SafeRow& row, const IntegerLimits& limits, std::span<const WeightPair> pairs,
                  const InputMoments& moments);

}  // namespace quantsearch
