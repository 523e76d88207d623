#include "runtime/reference_window.h"

#include <algorithm>
#include <string>

namespace quantsearch::reference {

std::optional<std::int64_t> Window::source(std::size_t axis, std::int64_t position,
                                           std::int64_t tap, std::int64_t input_size) const {
  const std::int64_t at = position * strides[axis] + tap * dilations[axis] - pads_begin[axis];
  if (at < 0 || at >= input_size) return std::nullopt;
  return at;
}

Window make_window(const KernelCall& call, const Shape& input, const Shape& kernel) {
  const std::size_t axes = kernel.size();
  const Node& node = call.node;
  Window window;
  window.kernel = kernel;
  window.strides = node.ints_attribute("strides", Shape(axes, 1));
  window.dilations = node.ints_attribute("dilations", Shape(axes, 1));
  const Shape pads = node.ints_attribute("pads", Shape(2 * axes, 0));
  window.pads_begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(axes));
  window.pads_end.assign(pads.begin() + static_cast<std::ptrdiff_t>(axes), pads.end());
  window.output.resize(axes);
  const std::string auto_pad = node.string_attribute("auto_pad", "NOTSET");
  const bool is_ceil = node.int_attribute("ceil_mode", 0) != 0;
  for (std::size_t axis = 0; axis < axes; ++axis) {
    const std::int64_t stride = window.strides[axis];
    const std::int64_t extent = (kernel[axis] - 1) * window.dilations[axis] + 1;
    if (auto_pad == "VALID") window.pads_begin[axis] = window.pads_end[axis] = 0;
    if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
      const std::int64_t output = (input[axis] + stride - 1) / stride;
      const std::int64_t total =
          std::max<std::int64_t>(0, (output - 1) * stride + extent - input[axis]);
      window.pads_begin[axis] = auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
      window.pads_end[axis] = total - window.pads_begin[axis];
      window.output[axis] = output;
      continue;
    }
    const std::int64_t room =
        input[axis] + window.pads_begin[axis] + window.pads_end[axis] - extent;
    std::int64_t output = (is_ceil ? room + stride - 1 : room) / stride + 1;
    // A window that would start in the padding after the input is left out.
    if (is_ceil && (output - 1) * stride >= input[axis] + window.pads_begin[axis]) --output;
    window.output[axis] = output;
  }
  return window;
}

Shape spatial_shape(const Tensor& tensor) {
  return {tensor.shape().begin() + 2, tensor.shape().end()};
}

Shape full_index(std::int64_t batch, std::int64_t channel, const Shape& spatial) {
  Shape index = {batch, channel};
  index.insert(index.end(), spatial.begin(), spatial.end());
  return index;
}

}  // namespace quantsearch::reference
