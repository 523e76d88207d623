#pragma once

// Rounds the weights of an output channel to integers whose pairs are safe (docs/targets.md), with
// the least expected change of the output.

#include <cstdint>
#include <span>
#include <vector>

#include "quantsearch/quantize.h"

namespace quantsearch {

/// Moments of the inputs that a row of weights multiplies. With errors e of the weights, the
/// expected squared error of the output is
///   sum over channels of variance * ((1 - correlation) * sum(e^2) + correlation * sum(e)^2)
/// plus the square of its mean error sum(mean * e). With the default correlation the first term is
/// a weighted sum of squares.
struct InputMoments {
  std::int64_t positions = 1;    // weights of a row per input channel: those of the kernel
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

/// The integers of one row of weights.
struct SafeRow {
  std::vector<std::int32_t> integers;  // [columns]
  // [columns]: wanted value minus integer, in units of the scale.
  std::vector<double> errors;
  // Number of integers that differ from plain rounding.
  int moved = 0;
};
/// Rounds `row`. A pair that is unsafe after rounding gets the safe integers with the least error.
[[nodiscard]] SafeRow round_safely(std::span<const float> row, const RowGrid& grid,
                                   std::span<const WeightPair> pairs, const InputMoments& moments);

/// The expected squared error in units of the squared scale, without the mean error, of which
/// take_up_mean() removes almost everything.
[[nodiscard]] double expected_error(const SafeRow& row, const InputMoments& moments);

/// Moves integers by single steps until no step lowers the expected squared error, mean error
/// included. Each step is the one that lowers it most. Pairs stay safe.
void take_up_mean(SafeRow& row, const IntegerLimits& limits, std::span<const WeightPair> pairs,
                  const InputMoments& moments);

}  // namespace quantsearch
