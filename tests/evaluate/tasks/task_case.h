#pragma once

// A task over samples, scored on models that scale them.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quantsearch/evaluate.h"
#include "quantsearch/evaluate/task.h"

namespace quantsearch::testing {

/// out = in * factor, in the shape of the samples; the last axis is negated from `flipped_from` on,
/// when that is not 0.
[[nodiscard]] Model scaled_by(float factor, const Shape& shape, std::int64_t flipped_from = 0);

struct TaskCase {
  std::string yaml;
  Tensor samples;
  std::optional<Labels> labels = {};
  std::int64_t first_in_truth = 0;
  std::vector<std::string> names = {};  // of the files that the samples are; none: they are rows

  [[nodiscard]] Shape sample_shape() const;
  /// The scores of the float model (factor 1) and of a candidate.
  [[nodiscard]] std::pair<Scores, Scores> scores(const Model& candidate) const;
  /// The message with which they are refused.
  [[nodiscard]] std::string refusal() const;
};

}  // namespace quantsearch::testing
