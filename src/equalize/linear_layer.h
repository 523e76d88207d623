#pragma once

// Describes a Conv, ConvTranspose, Gemm or MatMul with a constant weight by its input and output
// channels.

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "quantsearch/internal/model/linear_layer.h"
#include "quantsearch/model.h"

namespace quantsearch::equalizing {

/// The constant that the node adds to each output channel.
struct LayerBias {
  bool is_readable = true;     // false: the bias is not one constant per channel
  std::vector<double> values;  // [outputs]; empty: no bias
};

struct LinearLayer {
  int node = 0;
  WeightLayout layout;
  std::shared_ptr<const Tensor> weight;  // float32, input 1 of the node
  LayerBias bias;                        // input 2, multiplied by Gemm's beta
};

/// The layer at `node`. Absent when the node is of another type or its weight is not a float32
/// constant of a fitting shape with at least two axes.
[[nodiscard]] std::optional<LinearLayer> linear_layer(const Graph& graph, const GraphIndex& index,
                                                      int node);

/// The initializer `tensor` if no caller can override it, else null.
[[nodiscard]] std::shared_ptr<const Tensor> constant_of(const GraphIndex& index,
                                                        std::string_view tensor);

}  // namespace quantsearch::equalizing
