#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "quantsearch/base/error.h"
#include "runtime/reference_kernels.h"
#include "runtime/reference_window.h"

namespace quantsearch::reference {

namespace {

double element(const Tensor& tensor, const Shape& index) {
  return tensor.values<double>()[static_cast<std::size_t>(offset_of(index, tensor.shape()))];
}

// With a channel c of the group of m and a tap t of the window:
// y[n, m, p] = bias[m] + sum over c, t of w[m, c, t] x[n, c, p stride + t dilation - pad].
// Weight: [out_channels, in_channels / groups, kernel...].
std::vector<Tensor> conv(const KernelCall& call) {
  const Tensor input = wide(call.input(0));
  const Tensor weight = wide(call.input(1));
  const std::int64_t groups = call.node.int_attribute("group", 1);
  const std::int64_t group_inputs = weight.shape()[1];
  if (input.shape()[1] != group_inputs * groups || weight.shape()[0] % groups != 0) {
    throw InvalidInput(
        fmt::format("reference session: Conv '{}' of {} with weight {} in {} groups does not fit",
                    call.node.name, to_string(input.shape()), to_string(weight.shape()), groups));
  }
  const std::int64_t group_outputs = weight.shape()[0] / groups;
  const Shape input_size = spatial_shape(input);
  const Window window = make_window(call, input_size, spatial_shape(weight));
  const Tensor bias =
      call.has(2) ? wide(call.input(2)) : Tensor(DataType::float64, {weight.shape()[0]});

  Tensor result(DataType::float64, full_index(input.shape()[0], weight.shape()[0], window.output));
  const std::span<double> out = result.mutable_values<double>();
  std::size_t at = 0;
  for_each_index(result.shape(), [&](const Shape& index) {
    const std::int64_t first_channel = index[1] / group_outputs * group_inputs;
    double sum = bias.values<double>()[static_cast<std::size_t>(index[1])];
    for_each_index(window.kernel, [&](const Shape& tap) {
      Shape from = index;
      for (std::size_t axis = 0; axis < tap.size(); ++axis) {
        const auto source = window.source(axis, index[axis + 2], tap[axis], input_size[axis]);
        if (!source) return;
        from[axis + 2] = *source;
      }
      for (std::int64_t channel = 0; channel < group_inputs; ++channel) {
        from[1] = first_channel + channel;
        sum += element(weight, full_index(index[1], channel, tap)) * element(input, from);
      }
    });
    out[at++] = sum;
  });
  return {convert(result, call.input(0).type())};
}

/// The padding and the output size of a transposed convolution, whose window slides over the
/// output.
Window make_transposed_window(const KernelCall& call, const Shape& input, const Shape& kernel) {
  const std::size_t axes = kernel.size();
  Window window = make_window(call, input, kernel);
  const std::string auto_pad = call.node.string_attribute("auto_pad", "NOTSET");
  const Shape output_padding = call.node.ints_attribute("output_padding", Shape(axes, 0));
  Shape output = call.node.ints_attribute("output_shape", {});
  if (output.size() > axes)
    output.erase(output.begin(), output.end() - static_cast<std::ptrdiff_t>(axes));
  const bool is_same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
  for (std::size_t axis = 0; axis < axes; ++axis) {
    const std::int64_t full = window.strides[axis] * (input[axis] - 1) + output_padding[axis] +
                              (kernel[axis] - 1) * window.dilations[axis] + 1;
    if (output.empty() && !is_same) {
      window.output[axis] = full - window.pads_begin[axis] - window.pads_end[axis];
      continue;
    }
    window.output[axis] = output.empty() ? input[axis] * window.strides[axis] : output[axis];
    const std::int64_t total = std::max<std::int64_t>(0, full - window.output[axis]);
    window.pads_begin[axis] = auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
    window.pads_end[axis] = total - window.pads_begin[axis];
  }
  return window;
}

// The adjoint of conv: x[n, c, p] adds w[c, m, t] x[n, c, p]
// to y[n, m, p stride + t dilation - pad].
// Weight: [in_channels, out_channels / groups, kernel...].
std::vector<Tensor> conv_transpose(const KernelCall& call) {
  const Tensor input = wide(call.input(0));
  const Tensor weight = wide(call.input(1));
  const std::int64_t groups = call.node.int_attribute("group", 1);
  const std::int64_t group_inputs = input.shape()[1] / groups;
  const std::int64_t group_outputs = weight.shape()[1];
  const Window window = make_transposed_window(call, spatial_shape(input), spatial_shape(weight));

  Tensor result(DataType::float64,
                full_index(input.shape()[0], group_outputs * groups, window.output));
  const std::span<double> out = result.mutable_values<double>();
  if (call.has(2)) {
    const Tensor bias = wide(call.input(2));
    std::size_t at = 0;
    for_each_index(result.shape(), [&](const Shape& index) {
      out[at++] = bias.values<double>()[static_cast<std::size_t>(index[1])];
    });
  }
  for_each_index(input.shape(), [&](const Shape& index) {
    const double value = element(input, index);
    const std::int64_t first_channel = index[1] / group_inputs * group_outputs;
    for_each_index(window.kernel, [&](const Shape& tap) {
      Shape to = index;
      for (std::size_t axis = 0; axis < tap.size(); ++axis) {
        const auto target = window.source(axis, index[axis + 2], tap[axis], window.output[axis]);
        if (!target) return;
        to[axis + 2] = *target;
      }
      for (std::int64_t channel = 0; channel < group_outputs; ++channel) {
        to[1] = first_channel + channel;
        out[static_cast<std::size_t>(offset_of(to, result.shape()))] +=
            element(weight, full_index(index[1], channel, tap)) * value;
      }
    });
  });
  return {convert(result, call.input(0).type())};
}

}  // namespace

void add_convolution_kernels(KernelTable& table) {
  table["Conv"] = conv;
  table["ConvTranspose"] = conv_transpose;
}

}  // namespace quantsearch::reference
