// The order of the reduction as ONNX Runtime's kernels have it, probed on x86-64 with AVX2
// (versions 1.29 and 1.32): a Conv runs over the kernel's positions first and the input channels of
// the group fastest; Gemm and MatMul run over K. Pairs are the elements (0, 1), (2, 3), ... of that
// order; an odd last element has no partner.

#include "quantize/numbers/weight_pairs.h"

namespace quantsearch {

namespace {

std::int64_t groups_of(const Node& node) {
  return node.is("Conv") ? node.int_attribute("group", 1) : 1;
}

/// Position among the weights of an output channel of each element of the reduction.
std::vector<std::int32_t> reduction_order(const Node& node, const Shape& weight,
                                          std::int64_t columns) {
  const std::int64_t channels = node.is("Conv") ? weight[1] : columns;
  const std::int64_t kernel = columns / std::max<std::int64_t>(channels, 1);
  std::vector<std::int32_t> order;
  order.reserve(static_cast<std::size_t>(columns));
  for (std::int64_t position = 0; position < kernel; ++position) {
    for (std::int64_t channel = 0; channel < channels; ++channel)
      order.push_back(static_cast<std::int32_t>(channel * kernel + position));
  }
  return order;
}

}  // namespace

WeightRows weight_rows(const Node& node, const Shape& weight) {
  if (node.is("Conv")) {
    const std::int64_t columns = element_count(weight) / std::max<std::int64_t>(weight[0], 1);
    return {.rows = weight[0],
            .columns = columns,
            .row_stride = columns,
            .column_stride = 1,
            .rows_per_matrix = std::max<std::int64_t>(weight[0], 1),
            .groups = groups_of(node)};
  }
  if (node.is("Gemm") && node.int_attribute("transB", 0) != 0) {
    return {.rows = weight[0],
            .columns = weight[1],
            .row_stride = weight[1],
            .column_stride = 1,
            .rows_per_matrix = std::max<std::int64_t>(weight[0], 1)};
  }
  // [..., K, N]; a vector is one column of K.
  const std::int64_t columns = weight.size() == 1 ? weight[0] : weight[weight.size() - 2];
  const std::int64_t per_matrix = weight.size() == 1 ? 1 : weight.back();
  const std::int64_t matrix = columns * per_matrix;
  return {.rows = matrix == 0 ? 0 : element_count(weight) / matrix * per_matrix,
          .columns = columns,
          .row_stride = 1,
          .column_stride = per_matrix,
          .rows_per_matrix = std::max<std::int64_t>(per_matrix, 1),
          .matrix_stride = matrix};
}

std::int64_t input_channels(const Node& node, const Shape& weight) {
  if (node.is("Conv")) return weight[1] * groups_of(node);
  return weight_rows(node, weight).columns;
}

bool adds_pairs(const Node& node, const Shape& weight) {
  if (node.is("ConvTranspose")) return false;
  if (!node.is("Conv")) return true;
  const std::int64_t groups = groups_of(node);
  return weight[1] != 1 || weight[0] != groups || groups == 1;
}

std::vector<std::vector<WeightPair>> weight_pairs(const Node& node, const Shape& weight,
                                                  const PairLimits& limits) {
  const WeightRows rows = weight_rows(node, weight);
  const std::vector<std::int32_t> order = reduction_order(node, weight, rows.columns);
  const std::int64_t channels = node.is("Conv") ? weight[1] : rows.columns;
  const std::int64_t kernel = rows.columns / std::max<std::int64_t>(channels, 1);
  std::vector<std::vector<WeightPair>> pairs(static_cast<std::size_t>(rows.groups));
  for (std::int64_t group = 0; group < rows.groups; ++group) {
    const auto maximum = [&](std::int32_t position) {
      return limits.input_maxima[static_cast<std::size_t>(group * channels + position / kernel)];
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
