#pragma once

// Folds y = scale * x + shift per output channel into the linear layer that produces x. With W and
// b the layer's weight and bias and a its input, y = (scale W) . a + (scale b + shift), so
// W' = scale W along the output channels and b' = scale b + shift.

#include <optional>
#include <string>
#include <vector>

#include "quantsearch/internal/model/linear_layer.h"
#include "transform/graph_editor.h"

namespace quantsearch {

struct ChannelAffine {
  std::vector<double> scale;  // one per output channel
  std::vector<double> shift;
};

/// A Conv, ConvTranspose or Gemm whose constants allow folding.
struct FoldableLayer {
  int node = 0;
  WeightLayout layout;
  int output_rank = 0;
};

/// A layer, or in `objection` the reason why nothing can be folded into it.
struct LinearLayerOrObjection {
  std::optional<FoldableLayer> layer;
  std::string objection;
};
[[nodiscard]] LinearLayerOrObjection linear_layer(GraphEditor& editor, int node);

/// Folds `affine` into weight and bias; the layer's output then has the values of y.
void fold_into(GraphEditor& editor, const FoldableLayer& layer, const ChannelAffine& affine);

/// The weights of each output channel multiplied by `scale` of that channel.
[[nodiscard]] Tensor scale_outputs(const WeightLayout& layout, const Tensor& weight,
                                   const std::vector<double>& scale);

}  // namespace quantsearch
