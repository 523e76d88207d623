#pragma once

// The fast path: distance metrics of one sample of one output.

#include <span>

#include "evaluate/sample.h"
#include "quantsearch/evaluate.h"

namespace quantsearch {

/// True for the metrics that compare outputs, false for those of labels.
[[nodiscard]] bool is_distance(Metric metric);

/// Writes one value per metric into `values`. False, with `values` untouched, when an element of either is NaN or
/// infinite. Samples of equal shape; `metrics` are distances.
[[nodiscard]] bool measure_sample(const Sample& reference, const Sample& candidate, std::span<const Metric> metrics,
                                  std::span<double> values);

/// Place of the label among the logits, 0 for the largest: larger logits, and equal ones of a lower index, come before
/// it. NaN comes last.
[[nodiscard]] std::int64_t rank_of_label(std::span<const float> logits, std::int64_t label);

}  // namespace quantsearch
