#pragma once

// Describes a layer as a matrix product: which input values the weights multiply at each output
// position.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "finetune/solvers/layer_problem.h"
#include "quantsearch/internal/model/linear_layer.h"
#include "quantsearch/model.h"
#include "quantsearch/tensor.h"

namespace quantsearch::reconstruction {

struct LayerGeometry {
  LayerShape shape;
  Shape weight_shape;
  WeightLayout layout;
  // Convolutions: one entry per spatial axis.
  std::vector<std::int64_t> kernel;
  std::vector<std::int64_t> strides;
  std::vector<std::int64_t> dilations;
  std::vector<std::int64_t> pads_begin;
  std::string auto_pad = "NOTSET";
  bool pads_from_sizes = false;  // auto_pad or output_shape: pads follow from the sizes
  std::vector<std::int64_t> output_padding;
  bool transpose_input = false;  // Gemm transA

  [[nodiscard]] bool is_convolution() const { return !kernel.empty(); }
  [[nodiscard]] bool is_transposed_convolution() const {
    return is_convolution() && layout.order == WeightLayout::Order::input_major;
  }
};

/// The geometry of a Conv, ConvTranspose, Gemm or MatMul with a constant weight of this shape.
/// Throws Unsupported, with the reason, for a layer that is not a single matrix product (for
/// example a stack of weight matrices).
[[nodiscard]] LayerGeometry geometry_of(const Node& node, const Shape& weight_shape);

/// Convert weights from the order of the tensor to that of the product, [outputs][K], and back.
template <typename T>
[[nodiscard]] std::vector<T> to_rows(const LayerGeometry& geometry, std::span<const T> tensor);
template <typename T>
[[nodiscard]] std::vector<T> from_rows(const LayerGeometry& geometry, std::span<const T> rows);
/// The index of the per-channel parameter of output `output`, which is in [0, outputs). A
/// ConvTranspose with groups has one parameter for each output channel of a group.
[[nodiscard]] std::int64_t channel_of(const LayerGeometry& geometry, std::int64_t output);

/// `count` values of a tensor at `first`, first + step, …; they are zeros when `first` is -1.
struct ValueRun {
  std::int64_t first = 0;
  std::int64_t step = 1;
  std::int64_t count = 1;
};

/// The positions of a layer's output that take part, all of them or some spread evenly, and where
/// their values are. Runs cover the positions in order.
struct PositionTable {
  std::int64_t count = 0;                      // positions that take part
  std::vector<ValueRun> targets;               // in the first channel of the output
  std::vector<std::vector<ValueRun>> sources;  // [kernel], in the first channel of the input
  std::int64_t target_stride = 1;              // from a channel of the output to the next
  std::int64_t source_stride = 1;              // from a channel of the input to the next
};
/// The table of positions first, first + step, … of all. Throws InvalidInput when the shapes do not
/// fit.
[[nodiscard]] PositionTable position_table(const LayerGeometry& geometry, const Shape& input,
                                           const Shape& output, std::int64_t first,
                                           std::int64_t step);
/// The number of positions of an output of this shape.
[[nodiscard]] std::int64_t count_positions(const LayerGeometry& geometry, const Shape& output);

/// Write the inputs or targets of columns [at, at + table.count). The vectors of `columns` already
/// have the size for columns.count.
void gather_inputs(const LayerGeometry& geometry, const PositionTable& table, const Tensor& input,
                   std::int64_t at, Columns& columns);
void gather_targets(const LayerGeometry& geometry, const PositionTable& table, const Tensor& output,
                    std::int64_t at, Columns& columns);

}  // namespace quantsearch::reconstruction
