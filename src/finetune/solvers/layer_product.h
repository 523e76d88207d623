#pragma once

// Computes a block of the outputs of a layer for given columns.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "finetune/solvers/layer_problem.h"

namespace quantsearch::reconstruction {

/// Outputs [first, first + count), which are within one group or form whole groups.
struct OutputBlock {
  std::int64_t first = 0;
  std::int64_t count = 0;
};
[[nodiscard]] inline OutputBlock all_outputs(const LayerShape& shape) {
  return {.first = 0, .count = shape.outputs()};
}
/// Blocks that one worker processes at a time; they depend only on the shape.
[[nodiscard]] std::vector<OutputBlock> output_blocks(const LayerShape& shape);

/// Calls work(group, first row in the block, rows) for the part of each group that is in the block.
template <class Work>
void over_groups(const LayerShape& shape, const OutputBlock& block, const Work& work) {
  for (std::int64_t done = 0; done < block.count;) {
    const std::int64_t output = block.first + done;
    const std::int64_t rows = std::min(block.count - done, shape.rows - output % shape.rows);
    work(output / shape.rows, done, rows);
    done += rows;
  }
}

/// Computes `outputs` [block.count][n], before the activation, from the block's weights
/// [block.count][K] and biases (null: none).
void block_outputs(const LayerShape& shape, const OutputBlock& block, const float* weights,
                   const float* bias, const Columns& columns, float* outputs);

}  // namespace quantsearch::reconstruction
