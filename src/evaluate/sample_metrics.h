#pragma once

// The fast path: distance metrics of one sample of one output.

#include <optional>
#include <span>

#include "evaluate/sample.h"
#include "quantsearch/evaluate.h"

namespace quantsearch {

/// True for the metrics that compare outputs, false for those of labels.
[[nodiscard]] bool is_distance(Metric metric);
/// True for the distances that one sample has: all but worst_slice, whose slices are those of all
/// samples.
[[nodiscard]] bool is_sample_distance(Metric metric);

/// Sums of squares over one sample of one output: what a relative distance over many samples is
/// made of.
struct Energies {
  double signal = 0;  // of the reference
  double noise = 0;   // of the difference
};

/// Noise over signal: 0 without noise, at most kWorstRelative.
[[nodiscard]] double relative_noise(const Energies& energies);

/// Writes one value per metric into `values`. Nothing, with `values` untouched, when an element of
/// either is NaN or infinite. Samples of equal shape; `metrics` are distances
/// of samples. `count`: values that means are over, the others being equal; absent: all.
[[nodiscard]] std::optional<Energies> measure_sample(const Sample& reference,
                                                     const Sample& candidate,
                                                     std::span<const Metric> metrics,
                                                     std::span<double> values,
                                                     std::optional<std::size_t> count = {});

/// Place of the label among the logits, 0 for the largest: larger logits, and equal ones of a lower
/// index, come before it. NaN comes last.
[[nodiscard]] std::int64_t rank_of_label(std::span<const float> logits, std::int64_t label);

}  // namespace quantsearch
