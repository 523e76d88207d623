#include "finetune/geometry.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "quantsearch/base/error.h"

namespace quantsearch::reconstruction {

namespace {

std::int64_t product(std::span<const std::int64_t> sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
}

LayerGeometry convolution_geometry(const Node& node, const Shape& weight) {
  const bool transposed = node.op_type == "ConvTranspose";
  const std::int64_t groups = node.int_attribute("group", 1);
  LayerGeometry geometry;
  geometry.kind = transposed ? LayerKind::transposed_convolution : LayerKind::convolution;
  geometry.weight_shape = weight;
  geometry.kernel.assign(weight.begin() + 2, weight.end());
  const std::size_t axes = geometry.kernel.size();
  const std::vector<std::int64_t> ones(axes, 1);
  geometry.strides = node.ints_attribute("strides", ones);
  geometry.dilations = node.ints_attribute("dilations", ones);
  geometry.output_padding =
      node.ints_attribute("output_padding", std::vector<std::int64_t>(axes, 0));
  const std::vector<std::int64_t> pads =
      node.ints_attribute("pads", std::vector<std::int64_t>(2 * axes, 0));
  geometry.pads_begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(axes));
  geometry.auto_pad = node.string_attribute("auto_pad", "NOTSET");
  if (geometry.auto_pad == "VALID") geometry.pads_begin.assign(axes, 0);
  geometry.pads_from_sizes =
      geometry.auto_pad.starts_with("SAME") || node.find_attribute("output_shape") != nullptr;
  geometry.shape.groups = groups;
  geometry.shape.rows = transposed ? weight[1] : weight[0] / groups;
  geometry.shape.columns = (transposed ? weight[0] / groups : weight[1]) * geometry.kernel_size();
  return geometry;
}

/// Zeros added before the first value along an axis: what ONNX's size formula leaves over, split as
/// auto_pad says.
std::int64_t pad_begin(const LayerGeometry& geometry, std::size_t axis, std::int64_t input,
                       std::int64_t output) {
  if (!geometry.pads_from_sizes) return geometry.pads_begin[axis];
  const std::int64_t extent = (geometry.kernel[axis] - 1) * geometry.dilations[axis] + 1;
  const bool transposed = geometry.kind == LayerKind::transposed_convolution;
  const std::int64_t total = transposed ? geometry.strides[axis] * (input - 1) +
                                              geometry.output_padding[axis] + extent - output
                                        : (output - 1) * geometry.strides[axis] + extent - input;
  const std::int64_t kept = std::max<std::int64_t>(total, 0);
  // The odd zero goes to the end for SAME_UPPER, else (also for output_shape alone) to the
  // beginning.
  return geometry.auto_pad == "SAME_UPPER" ? kept / 2 : kept - kept / 2;
}

/// Input coordinate that kernel offset `tap` reads at output coordinate `out`; -1 for padding or
/// between strides.
std::int64_t source_coordinate(const LayerGeometry& geometry, std::size_t axis, std::int64_t out,
                               std::int64_t tap, std::int64_t pad, std::int64_t size) {
  std::int64_t at = 0;
  if (geometry.kind == LayerKind::convolution) {
    at = out * geometry.strides[axis] - pad + tap * geometry.dilations[axis];
  } else {
    const std::int64_t scaled = out + pad - tap * geometry.dilations[axis];
    if (scaled < 0 || scaled % geometry.strides[axis] != 0) return -1;
    at = scaled / geometry.strides[axis];
  }
  return at >= 0 && at < size ? at : -1;
}

void require_convolution_shapes(const LayerGeometry& geometry, const Shape& input,
                                const Shape& output) {
  const std::size_t rank = geometry.kernel.size() + 2;
  const std::int64_t channels =
      geometry.shape.groups * geometry.shape.columns / geometry.kernel_size();
  if (input.size() == rank && output.size() == rank && input[0] == output[0] &&
      input[1] == channels && output[1] == geometry.shape.outputs())
    return;
  throw InvalidInput(
      fmt::format("finetune: a convolution with weights {} reads {} and gives {}, which do not fit",
                  to_string(geometry.weight_shape), to_string(input), to_string(output)));
}

/// Fills the sources of one position: coordinates of every kernel offset, last axis fastest.
class SourceFinder {
 public:
  SourceFinder(const LayerGeometry& geometry, const Shape& input, const Shape& output)
      : geometry_(geometry),
        input_(input.begin() + 2, input.end()),
        output_(output.begin() + 2, output.end()) {
    for (std::size_t axis = 0; axis < input_.size(); ++axis)
      pads_.push_back(pad_begin(geometry, axis, input_[axis], output_[axis]));
  }

  [[nodiscard]] std::int64_t source(std::int64_t position, std::int64_t tap) const {
    std::int64_t plane = 1;
    std::int64_t index = 0;
    for (std::size_t axis = input_.size(); axis-- > 0;) {
      const std::int64_t at =
          source_coordinate(geometry_, axis, position % output_[axis], tap % geometry_.kernel[axis],
                            pads_[axis], input_[axis]);
      if (at < 0) return -1;
      index += at * plane;
      plane *= input_[axis];
      position /= output_[axis];
      tap /= geometry_.kernel[axis];
    }
    return index;
  }

 private:
  const LayerGeometry& geometry_;
  std::vector<std::int64_t> input_;
  std::vector<std::int64_t> output_;
  std::vector<std::int64_t> pads_;
};

bool is_convolution(const LayerGeometry& geometry) {
  return geometry.kind == LayerKind::convolution ||
         geometry.kind == LayerKind::transposed_convolution;
}

}  // namespace

std::int64_t LayerGeometry::kernel_size() const { return product(kernel); }

LayerGeometry geometry_of(const Node& node, const Shape& weight_shape) {
  if (node.is("Conv") || node.is("ConvTranspose")) {
    if (weight_shape.size() < 3) throw Unsupported("its weights have no spatial axis");
    return convolution_geometry(node, weight_shape);
  }
  if (weight_shape.size() != 2) throw Unsupported("its weights are not one matrix");
  LayerGeometry geometry;
  geometry.kind = node.is("Gemm") ? LayerKind::gemm : LayerKind::matmul;
  geometry.weight_shape = weight_shape;
  geometry.transpose_input = node.is("Gemm") && node.int_attribute("transA", 0) != 0;
  geometry.transpose_weight = node.is("Gemm") && node.int_attribute("transB", 0) != 0;
  geometry.shape.rows = weight_shape[geometry.transpose_weight ? 0 : 1];
  geometry.shape.columns = weight_shape[geometry.transpose_weight ? 1 : 0];
  return geometry;
}

std::int64_t channel_of(const LayerGeometry& geometry, std::int64_t output) {
  return geometry.kind == LayerKind::transposed_convolution ? output % geometry.shape.rows : output;
}

namespace {

/// Calls visit(index in rows order, index in tensor order) for every weight.
template <typename Visit>
void for_each_weight(const LayerGeometry& geometry, const Visit& visit) {
  const LayerShape& shape = geometry.shape;
  const std::int64_t taps = geometry.kernel_size();
  for (std::int64_t output = 0; output < shape.outputs(); ++output) {
    for (std::int64_t column = 0; column < shape.columns; ++column) {
      std::int64_t at = output * shape.columns + column;
      const std::int64_t row_index = at;
      if (geometry.kind == LayerKind::transposed_convolution) {
        const std::int64_t input = output / shape.rows * (shape.columns / taps) + column / taps;
        at = (input * shape.rows + output % shape.rows) * taps + column % taps;
      } else if (!is_convolution(geometry) && !geometry.transpose_weight) {
        at = column * shape.rows + output;
      }
      visit(static_cast<std::size_t>(row_index), static_cast<std::size_t>(at));
    }
  }
}

}  // namespace

template <typename T>
std::vector<T> to_rows(const LayerGeometry& geometry, std::span<const T> tensor) {
  std::vector<T> rows(tensor.size());
  for_each_weight(geometry, [&](std::size_t row, std::size_t at) { rows[row] = tensor[at]; });
  return rows;
}

template <typename T>
std::vector<T> from_rows(const LayerGeometry& geometry, std::span<const T> rows) {
  std::vector<T> tensor(rows.size());
  for_each_weight(geometry, [&](std::size_t row, std::size_t at) { tensor[at] = rows[row]; });
  return tensor;
}

template std::vector<float> to_rows(const LayerGeometry&, std::span<const float>);
template std::vector<std::int64_t> to_rows(const LayerGeometry&, std::span<const std::int64_t>);
template std::vector<std::int32_t> from_rows(const LayerGeometry&, std::span<const std::int32_t>);

std::int64_t count_positions(const LayerGeometry& geometry, const Shape& output) {
  return element_count(output) / geometry.shape.outputs();
}

PositionTable position_table(const LayerGeometry& geometry, const Shape& input, const Shape& output,
                             std::int64_t first, std::int64_t step) {
  PositionTable table;
  const std::int64_t all = count_positions(geometry, output);
  for (std::int64_t position = first; position < all; position += step)
    table.outputs.push_back(position);
  table.count = static_cast<std::int64_t>(table.outputs.size());
  if (!is_convolution(geometry)) return table;
  require_convolution_shapes(geometry, input, output);
  const SourceFinder finder(geometry, input, output);
  const std::int64_t plane = element_count(output) / output[0] / output[1];
  const std::int64_t entry_size = element_count(input) / std::max<std::int64_t>(input[0], 1);
  table.sources.resize(static_cast<std::size_t>(geometry.kernel_size() * table.count));
  for (std::int64_t tap = 0; tap < geometry.kernel_size(); ++tap) {
    for (std::int64_t at = 0; at < table.count; ++at) {
      const std::int64_t position = table.outputs[static_cast<std::size_t>(at)];
      const std::int64_t source = finder.source(position % plane, tap);
      table.sources[static_cast<std::size_t>(tap * table.count + at)] =
          source < 0 ? -1 : source + position / plane * entry_size;
    }
  }
  return table;
}

namespace {

void gather_matrix_inputs(const LayerGeometry& geometry, const PositionTable& table,
                          std::span<const float> values, std::int64_t at, Columns& columns) {
  const std::int64_t features = geometry.shape.columns;
  const std::int64_t rows = static_cast<std::int64_t>(values.size()) / features;
  for (std::int64_t feature = 0; feature < features; ++feature) {
    float* out = columns.inputs.data() + feature * columns.count + at;
    for (std::int64_t position = 0; position < table.count; ++position) {
      const std::int64_t row = table.outputs[static_cast<std::size_t>(position)];
      const std::int64_t index =
          geometry.transpose_input ? feature * rows + row : row * features + feature;
      out[position] = values[static_cast<std::size_t>(index)];
    }
  }
}

}  // namespace

void gather_inputs(const LayerGeometry& geometry, const PositionTable& table, const Tensor& input,
                   std::int64_t at, Columns& columns) {
  const std::span<const float> values = input.values<float>();
  if (!is_convolution(geometry)) {
    gather_matrix_inputs(geometry, table, values, at, columns);
    return;
  }
  const std::int64_t taps = geometry.kernel_size();
  const std::int64_t plane =
      element_count(input.shape()) / std::max<std::int64_t>(input.shape()[0] * input.shape()[1], 1);
  const std::int64_t channels = geometry.shape.groups * geometry.shape.columns / taps;
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    const float* from = values.data() + channel * plane;
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      const std::int64_t* sources = table.sources.data() + tap * table.count;
      float* out = columns.inputs.data() + (channel * taps + tap) * columns.count + at;
      for (std::int64_t position = 0; position < table.count; ++position) {
        out[position] = sources[position] < 0 ? 0.0F : from[sources[position]];
      }
    }
  }
}

void gather_targets(const LayerGeometry& geometry, const PositionTable& table, const Tensor& output,
                    std::int64_t at, Columns& columns) {
  const std::span<const float> values = output.values<float>();
  const std::int64_t outputs = geometry.shape.outputs();
  const bool channels_first = is_convolution(geometry);
  const std::int64_t plane =
      channels_first ? element_count(output.shape()) / (output.shape()[0] * outputs) : 1;
  for (std::int64_t channel = 0; channel < outputs; ++channel) {
    float* out = columns.targets.data() + channel * columns.count + at;
    for (std::int64_t position = 0; position < table.count; ++position) {
      const std::int64_t where = table.outputs[static_cast<std::size_t>(position)];
      const std::int64_t index = (where / plane * outputs + channel) * plane + where % plane;
      out[position] = values[static_cast<std::size_t>(index)];
    }
  }
}

}  // namespace quantsearch::reconstruction
