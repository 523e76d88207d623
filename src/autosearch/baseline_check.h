#pragma once

// What the float model itself says of labels, tolerance and time limit, before the first trial.

#include <string>
#include <vector>

#include "autosearch/setup.h"

namespace quantsearch {

/// The labels that are right most often when the same ones are answered for every sample, and the
/// share of samples for which one of them is right.
struct ConstantAnswer {
  std::vector<std::int64_t> labels;  // the most frequent first, at most `count`
  double share = 0;
};
[[nodiscard]] ConstantAnswer best_constant_answer(const Labels& labels, std::size_t count);

/// Sentences with both figures for a tolerance that the float model meets no better than a constant
/// answer, or not at all because it draws random numbers, and for a time limit that is over before
/// the first trial. The float model is run again only when it draws random numbers.
[[nodiscard]] std::vector<std::string> baseline_warnings(const Setup& setup,
                                                         const Baseline& baseline);

}  // namespace quantsearch
