#include "finetune/geometry.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "quantsearch/base/error.h"

namespace quantsearch::reconstruction {

namespace {

void add_convolution(const Node& node, LayerGeometry& geometry) {
  geometry.kernel.assign(geometry.weight_shape.begin() + 2, geometry.weight_shape.end());
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
}

/// The number of zeros added before the first value along an axis: the padding that ONNX's size
/// formula requires, split according to auto_pad.
std::int64_t pad_begin(const LayerGeometry& geometry, std::size_t axis, std::int64_t input,
                       std::int64_t output) {
  if (!geometry.pads_from_sizes) return geometry.pads_begin[axis];
  const std::int64_t extent = (geometry.kernel[axis] - 1) * geometry.dilations[axis] + 1;
  const std::int64_t total =
      geometry.is_transposed_convolution()
          ? geometry.strides[axis] * (input - 1) + geometry.output_padding[axis] + extent - output
          : (output - 1) * geometry.strides[axis] + extent - input;
  const std::int64_t kept = std::max<std::int64_t>(total, 0);
  // The odd zero goes to the end for SAME_UPPER and otherwise to the beginning, also when only
  // output_shape is given.
  return geometry.auto_pad == "SAME_UPPER" ? kept / 2 : kept - kept / 2;
}

/// The input coordinate that kernel offset `tap` reads at output coordinate `out`; -1 for padding
/// and between strides.
std::int64_t source_coordinate(const LayerGeometry& geometry, std::size_t axis, std::int64_t out,
                               std::int64_t tap, std::int64_t pad, std::int64_t size) {
  std::int64_t at = 0;
  if (!geometry.is_transposed_convolution()) {
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
  if (input.size() == rank && output.size() == rank && input[0] == output[0] &&
      input[1] == geometry.layout.inputs && output[1] == geometry.shape.outputs())
    return;
  throw InvalidInput(
      fmt::format("finetune: a convolution with weights {} reads {} and gives {}, which do not fit",
                  to_string(geometry.weight_shape), to_string(input), to_string(output)));
}

/// Finds the input value that a kernel offset reads at an output position; both count with the last
/// axis fastest.
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

}  // namespace

LayerGeometry geometry_of(const Node& node, const Shape& weight_shape) {
  const bool convolves = node.is("Conv") || node.is("ConvTranspose");
  if (convolves && weight_shape.size() < 3) throw Unsupported("its weights have no spatial axis");
  if (!convolves && weight_shape.size() != 2) throw Unsupported("its weights are not one matrix");
  const std::optional<WeightLayout> layout = weight_layout(node, weight_shape);
  if (!layout)
    throw Unsupported("its weights have the shape " + to_string(weight_shape) +
                      ", which does not fit its groups");
  LayerGeometry geometry;
  geometry.weight_shape = weight_shape;
  geometry.layout = *layout;
  geometry.shape = {.groups = layout->groups,
                    .rows = layout->outputs / layout->groups,
                    .columns = layout->columns()};
  if (convolves) add_convolution(node, geometry);
  geometry.transpose_input = node.is("Gemm") && node.int_attribute("transA", 0) != 0;
  return geometry;
}

std::int64_t channel_of(const LayerGeometry& geometry, std::int64_t output) {
  return geometry.is_transposed_convolution() ? output % geometry.shape.rows : output;
}

namespace {

/// Calls visit(index in rows order, index in tensor order) for every weight.
template <typename Visit>
void for_each_weight(const LayerGeometry& geometry, const Visit& visit) {
  std::size_t index = 0;
  for (std::int64_t row = 0; row < geometry.layout.rows(); ++row) {
    geometry.layout.for_each_in_row(row, [&](std::int64_t, std::int64_t offset) {
      visit(index++, static_cast<std::size_t>(offset));
    });
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

namespace {

/// Adds the value at `at` (-1: a zero) to the last run or starts a new one.
void append(std::int64_t at, std::vector<ValueRun>& runs) {
  if (!runs.empty()) {
    ValueRun& last = runs.back();
    const bool is_zero = at < 0;
    if (is_zero != (last.first < 0)) {
      runs.push_back({.first = at});
      return;
    }
    if (!is_zero && last.count == 1) last.step = at - last.first;
    if (is_zero || at == last.first + last.step * last.count) {
      ++last.count;
      return;
    }
  }
  runs.push_back({.first = at});
}

void copy_runs(const std::vector<ValueRun>& runs, const float* from, float* to) {
  for (const ValueRun& run : runs) {
    if (run.first < 0) {
      std::fill_n(to, run.count, 0.0F);
    } else if (run.step == 1) {
      std::copy_n(from + run.first, run.count, to);
    } else {
      const float* const values = from + run.first;
      for (std::int64_t at = 0; at < run.count; ++at) to[at] = values[at * run.step];
    }
    to += run.count;
  }
}

PositionTable matrix_table(const LayerGeometry& geometry, const Shape& input, std::int64_t all,
                           std::int64_t first, std::int64_t step) {
  const LayerShape& shape = geometry.shape;
  const std::int64_t rows = element_count(input) / shape.columns;
  PositionTable table;
  table.count = (all - first + step - 1) / step;
  table.sources.resize(1);
  table.source_stride = geometry.transpose_input ? rows : 1;
  for (std::int64_t position = first; position < all; position += step) {
    append(position * shape.outputs(), table.targets);
    append(position * (geometry.transpose_input ? 1 : shape.columns), table.sources[0]);
  }
  return table;
}

}  // namespace

PositionTable position_table(const LayerGeometry& geometry, const Shape& input, const Shape& output,
                             std::int64_t first, std::int64_t step) {
  const std::int64_t all = count_positions(geometry, output);
  if (!geometry.is_convolution()) return matrix_table(geometry, input, all, first, step);
  require_convolution_shapes(geometry, input, output);
  const SourceFinder finder(geometry, input, output);
  const std::int64_t entries = std::max<std::int64_t>(input[0], 1);
  const std::int64_t entry_size = element_count(input) / entries;
  const std::int64_t plane = all / entries;
  PositionTable table;
  table.count = (all - first + step - 1) / step;
  table.target_stride = plane;
  table.source_stride = entry_size / std::max<std::int64_t>(input[1], 1);
  for (std::int64_t position = first; position < all; position += step)
    append(position / plane * geometry.shape.outputs() * plane + position % plane, table.targets);
  table.sources.resize(static_cast<std::size_t>(geometry.layout.kernel));
  for (std::int64_t tap = 0; tap < geometry.layout.kernel; ++tap) {
    std::vector<ValueRun>& runs = table.sources[static_cast<std::size_t>(tap)];
    for (std::int64_t position = first; position < all; position += step) {
      const std::int64_t source = finder.source(position % plane, tap);
      append(source < 0 ? -1 : source + position / plane * entry_size, runs);
    }
  }
  return table;
}

void gather_inputs(const LayerGeometry& geometry, const PositionTable& table, const Tensor& input,
                   std::int64_t at, Columns& columns) {
  const float* from = input.values<float>().data();
  float* to = columns.inputs.data() + at;
  for (std::int64_t channel = 0; channel < geometry.layout.inputs;
       ++channel, from += table.source_stride) {
    for (const std::vector<ValueRun>& runs : table.sources) {
      copy_runs(runs, from, to);
      to += columns.count;
    }
  }
}

void gather_targets(const LayerGeometry& geometry, const PositionTable& table, const Tensor& output,
                    std::int64_t at, Columns& columns) {
  const float* from = output.values<float>().data();
  float* to = columns.targets.data() + at;
  for (std::int64_t channel = 0; channel < geometry.shape.outputs(); ++channel) {
    copy_runs(table.targets, from, to);
    from += table.target_stride;
    to += columns.count;
  }
}

}  // namespace quantsearch::reconstruction
