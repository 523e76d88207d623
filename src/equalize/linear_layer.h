#pragma once

// A Conv, ConvTranspose, Gemm or MatMul with a constant weight, seen as input and output channels.

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "quantsearch/model.h"
#include "quantsearch/model/linear_layer.h"

namespace quantsearch::equalizing {

/// What the node adds to each output channel.
struct LayerBias {
  bool is_readable = true;     // false: it is not one constant per channel
  std::vector<double> values;  // [outputs]; empty: there is none
};

struct LinearLayer {
  int node = 0;
  WeightLayout layout;
  std::shared_ptr<const Tensor> weight;  // float32, input 1 of the node
  LayerBias bias;                        // input 2, Gemm's beta multiplied in
};

/// Absent when the node is no such layer, or its weight is not a float32 constant of a fitting
/// shape.
[[nodiscard]] std::optional<LinearLayer> linear_layer(const Graph& graph, const GraphIndex& index,
                                                      int node);

/// An initializer that no caller can override; null when there is none.
[[nodiscard]] std::shared_ptr<const Tensor> constant_of(const GraphIndex& index,
                                                        std::string_view tensor);

}  // namespace quantsearch::equalizing
