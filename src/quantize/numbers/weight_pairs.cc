// Finds the pairs from the order of the reduction in ONNX Runtime's kernels, as probed on x86-64
// with AVX2 (versions 1.29 and 1.32). The outer loop of a Conv runs over the positions of the
// kernel and the inner loop over the input channels of the group; Gemm and MatMul run over K. Pairs
// are the elements (0, 1), (2, 3), ... of that order; an odd last element has no partner.

#include "quantize/numbers/weight_pairs.h"

#include "quantsearch/internal/model/linear_layer.h"

namespace quantsearch {

namespace {

/// For each element of the reduction its position among the weights of an output channel.
std::vector<std::int32_t> reduction_order(const WeightLayout& layout) {
  const std::int64_t channels = layout.inputs / layout.groups;
  std::vector<std::int32_t> order;
  order.reserve(static_cast<std::size_t>(layout.columns()));
  for (std::int64_t position = 0; position < layout.kernel; ++position) {
    for (std::int64_t channel = 0; channel < channels; ++channel)
      order.push_back(static_cast<std::int32_t>(channel * layout.kernel + position));
  }
  return order;
}

}  // namespace

bool adds_pairs(const Node& node, const Shape& weight) {
  const auto layout = weight_layout(node, weight);
  return layout && !node.is("ConvTranspose") && !layout->is_depthwise();
}

std::vector<std::vector<WeightPair>> weight_pairs(const Node& node, const Shape& weight,
                                                  const PairLimits& limits) {
  const WeightLayout layout = weight_layout(node, weight).value();
  const std::vector<std::int32_t> order = reduction_order(layout);
  const std::int64_t channels = layout.inputs / layout.groups;
  std::vector<std::vector<WeightPair>> pairs(static_cast<std::size_t>(layout.groups));
  for (std::int64_t group = 0; group < layout.groups; ++group) {
    const auto maximum = [&](std::int32_t position) {
      return limits
          .input_maxima[static_cast<std::size_t>(group * channels + position / layout.kernel)];
    };
    for (std::size_t at = 0; at + 1 < order.size(); at += 2) {
      pairs[static_cast<std::size_t>(group)].push_back({.first = order[at],
                                                        .second = order[at + 1],
                                                        .first_maximum = maximum(order[at]),
                                                        .second_maximum = maximum(order[at + 1])});
    }
  }
  return pairs;
}

}  // namespace quantsearch
