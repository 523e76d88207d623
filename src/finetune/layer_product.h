#pragma once

// What a layer gives on columns, for a part of its outputs.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "finetune/layer_problem.h"

namespace quantsearch::reconstruction {

/// Outputs [first, first + count), within one group or of whole groups.
struct OutputBlock {
  std::int64_t first = 0;
  std::int64_t count = 0;
};
[[nodiscard]] inline OutputBlock all_outputs(const LayerShape& shape) {
  return {.first = 0, .count = shape.outputs()};
}
/// Blocks that one worker takes at a time; they depend on the shape alone.
[[nodiscard]] std::vector<OutputBlock> output_blocks(const LayerShape& shape);

/// Calls work(group, first row in the block, rows) for the part of each group that the block holds.
template <class Work>
void over_groups(const LayerShape& shape, const OutputBlock& block, const Work& work) {
  for (std::int64_t done = 0; done < block.count;) {
    const std::int64_t output = block.first + done;
    const std::int64_t rows = std::min(block.count - done, shape.rows - output % shape.rows);
    work(output / shape.rows, done, rows);
    done += rows;
  }
}

/// `outputs` [block.count][n] before the activation, of the block's weights [block.count][K] and
/// biases (null: none).
void block_outputs(const LayerShape& shape, const OutputBlock& block, const float* weights,
                   const float* bias, const Columns& columns, float* outputs);

}  // namespace quantsearch::reconstruction
