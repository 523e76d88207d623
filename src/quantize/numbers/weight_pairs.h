#pragma once

// The weights of a layer as the rows of a matrix product, and which two weights of a row a
// saturating kernel multiplies in one step (docs/targets.md).

#include <cstdint>
#include <vector>

#include "quantsearch/quantize.h"

namespace quantsearch {

/// Where the weights of each output channel lie in the initializer of a Conv, Gemm or MatMul.
struct WeightRows {
  std::int64_t rows = 0;     // output channels; for a stack of matrices: of all of them
  std::int64_t columns = 0;  // weights of one output channel
  std::int64_t row_stride = 0;
  std::int64_t column_stride = 1;
  // A stack of matrices: the next one begins after this many rows.
  std::int64_t rows_per_matrix = 0;
  std::int64_t matrix_stride = 0;
  std::int64_t groups = 1;

  [[nodiscard]] std::int64_t offset(std::int64_t row, std::int64_t column) const {
    return row / rows_per_matrix * matrix_stride + row % rows_per_matrix * row_stride +
           column * column_stride;
  }
  [[nodiscard]] std::int64_t group_of(std::int64_t row) const { return row / (rows / groups); }
};
[[nodiscard]] WeightRows weight_rows(const Node& node, const Shape& weight);

/// Number of PairLimits::input_maxima of such a layer.
[[nodiscard]] std::int64_t input_channels(const Node& node, const Shape& weight);

/// True for a layer whose integer kernel adds pairs of products: not a depthwise Conv, which has a
/// kernel of its own, and not a ConvTranspose, which has none.
[[nodiscard]] bool adds_pairs(const Node& node, const Shape& weight);

}  // namespace quantsearch
