#pragma once

// One sample of one output, on which every metric is computed.

#include <cstdint>
#include <span>

#include "quantsearch/tensor.h"

namespace quantsearch {

/// The values are not copied. `shape` keeps the leading 1 of a sample that was cut from a batch, so
/// it does not depend on the batch.
struct Sample {
  std::span<const float> values;
  Shape shape;
};

/// Sample `index` of an output (float32) of a run over `count` samples: the whole output when the
/// run had one sample, else row `index` of its first axis, which is `count` long.
[[nodiscard]] inline Sample sample_of(const Tensor& output, std::int64_t index,
                                      std::int64_t count) {
  const std::span<const float> values = output.values<float>();
  if (count == 1) return {.values = values, .shape = output.shape()};
  const std::size_t length = values.size() / static_cast<std::size_t>(count);
  Shape shape = output.shape();
  shape[0] = 1;
  return {.values = values.subspan(static_cast<std::size_t>(index) * length, length),
          .shape = std::move(shape)};
}

/// Elements along the last axis: 1 for a scalar.
[[nodiscard]] inline std::size_t row_length(const Shape& shape) {
  return shape.empty() ? 1 : static_cast<std::size_t>(shape.back());
}

}  // namespace quantsearch
