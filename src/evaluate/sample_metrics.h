#pragma once

// The fast path of the distance metrics for one sample of one output.

#include <optional>
#include <span>

#include "evaluate/sample.h"
#include "quantsearch/evaluate.h"

namespace quantsearch {

/// True for the metrics that compare outputs, false for those of labels.
[[nodiscard]] bool is_distance(Metric metric);
/// True for the distances that a single sample has: all but worst_slice, whose slices are computed
/// over all samples.
[[nodiscard]] bool is_sample_distance(Metric metric);

/// Sums of squares over one sample of one output, from which a relative distance over many samples
/// is computed.
struct Energies {
  double signal = 0;  // of the reference
  double noise = 0;   // of the difference
};

/// Noise over signal: 0 without noise, at most kWorstRelative.
[[nodiscard]] double relative_noise(const Energies& energies);

/// Writes one value per metric to `values` and returns the energies. Returns nullopt and leaves
/// `values` unchanged when an element of either sample is NaN or infinite. Both samples have the
/// same shape, and `metrics` are sample distances. `count` is the number of values that means are
/// taken over, when the others are equal by definition; absent: all.
[[nodiscard]] std::optional<Energies> measure_sample(const Sample& reference,
                                                     const Sample& candidate,
                                                     std::span<const Metric> metrics,
                                                     std::span<double> values,
                                                     std::optional<std::size_t> count = {});

/// Number of logits before the label's, 0 for the largest: larger logits come before it, and equal
/// ones with a lower index. NaN comes last.
[[nodiscard]] std::int64_t rank_of_label(std::span<const float> logits, std::int64_t label);

}  // namespace quantsearch
