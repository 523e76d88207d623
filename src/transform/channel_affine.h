#pragma once

// y = scale * x + shift per output channel, moved into the linear layer that makes x. With W and b
// the layer's weight and bias, y = (scale W) . a + (scale b + shift): W' = scale W along the output
// channels, b' = scale b + shift.

#include <optional>
#include <string>
#include <vector>

#include "transform/graph_editor.h"

namespace quantsearch {

struct ChannelAffine {
  std::vector<double> scale;  // one per output channel
  std::vector<double> shift;
};

/// A Conv, ConvTranspose or Gemm whose constants allow folding.
struct FoldableLayer {
  int node = 0;
  std::int64_t channels = 0;
  std::size_t output_rank = 0;
};

/// Reads the layer at `node`, or says in `objection` why nothing can be folded into it.
struct LinearLayerOrObjection {
  std::optional<FoldableLayer> layer;
  std::string objection;
};
[[nodiscard]] bool is_linear_layer(const Node& node);
[[nodiscard]] LinearLayerOrObjection linear_layer(GraphEditor& editor, int node);

/// Folds into weight and bias; the layer's output then has the values of y.
void fold_into(GraphEditor& editor, const FoldableLayer& layer, const ChannelAffine& affine);

/// Scales the columns of `weight` [in, out] (or [..., in, out]).
[[nodiscard]] Tensor scale_columns(const Tensor& weight, const std::vector<double>& scale);

/// `constant` as one number per channel when adding or multiplying it to a tensor of `rank` axes
/// with `channels` channels on axis `axis` acts per channel and does not change the shape.
[[nodiscard]] std::optional<std::vector<double>> per_channel(const Tensor& constant,
                                                             std::size_t rank, std::size_t axis,
                                                             std::int64_t channels);

}  // namespace quantsearch
