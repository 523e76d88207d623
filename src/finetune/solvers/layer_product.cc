#include "finetune/solvers/layer_product.h"

#include "finetune/solvers/linear_algebra.h"

namespace quantsearch::reconstruction {

std::vector<OutputBlock> output_blocks(const LayerShape& shape) {
  // Eight rows are one tile of the products; two tiles are used when there are enough for many
  // workers.
  const std::int64_t rows = shape.rows >= 64 ? 16 : 8;
  std::vector<OutputBlock> blocks;
  if (shape.rows <= rows) {
    const std::int64_t groups = std::max<std::int64_t>(1, rows / shape.rows);
    for (std::int64_t group = 0; group < shape.groups; group += groups) {
      blocks.push_back({.first = group * shape.rows,
                        .count = std::min(groups, shape.groups - group) * shape.rows});
    }
    return blocks;
  }
  for (std::int64_t group = 0; group < shape.groups; ++group) {
    for (std::int64_t row = 0; row < shape.rows; row += rows) {
      blocks.push_back(
          {.first = group * shape.rows + row, .count = std::min(rows, shape.rows - row)});
    }
  }
  return blocks;
}

void block_outputs(const LayerShape& shape, const OutputBlock& block, const float* weights,
                   const float* bias, const Columns& columns, float* outputs) {
  const std::int64_t k = shape.columns;
  const std::int64_t n = columns.count;
  for (std::int64_t row = 0; row < block.count; ++row)
    std::fill_n(outputs + row * n, n, bias == nullptr ? 0.0F : bias[row]);
  over_groups(shape, block, [&](std::int64_t group, std::int64_t row, std::int64_t rows) {
    add_product(matrix(weights + row * k, rows, k),
                matrix(columns.inputs.data() + group * k * n, k, n),
                matrix(outputs + row * n, rows, n));
  });
}

}  // namespace quantsearch::reconstruction
