#pragma once

// Compares labels with logits, sample by sample.

#include <span>
#include <string>
#include <vector>

#include "evaluate/sample.h"
#include "quantsearch/evaluate.h"

namespace quantsearch {

/// True for [1, classes] and for shapes that differ from it only in axes of length 1.
[[nodiscard]] bool is_row_of_classes(const Sample& logits);
/// The first of these outputs that can hold a value for each class: floating-point numbers, and
/// more than one for a sample. Classifiers often give the predicted class before it. The first
/// output when there is none.
[[nodiscard]] const std::string& output_of_classes(const Graph& graph,
                                                   const std::vector<std::string>& outputs);

/// Rank of the label among one sample's logits (0 is best). Throws InvalidInput naming output and
/// sample when the sample is not one row of classes or the label is not one of them.
[[nodiscard]] std::int64_t rank_in_sample(const Sample& logits, const std::string& output,
                                          std::int64_t label, std::int64_t sample);

/// Share of ranks below the metric's k. Throws InternalError for a metric without labels.
[[nodiscard]] double share_of_hits(Metric metric, std::span<const std::int64_t> ranks);

/// Throws InvalidInput when a metric needs labels and the data have none.
void require_labels(std::span<const Metric> metrics, const std::optional<Labels>& labels);
[[nodiscard]] bool any_needs_labels(std::span<const Metric> metrics);

}  // namespace quantsearch
