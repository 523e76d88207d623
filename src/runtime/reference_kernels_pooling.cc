#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/reference_kernels.h"
#include "runtime/reference_window.h"

namespace quantsearch::reference {

namespace {

std::int64_t read(const Tensor& input, const Window& window, const Shape& index, const Shape& tap) {
  Shape from = index;
  for (std::size_t axis = 0; axis < tap.size(); ++axis) {
    const auto source = window.source(axis, index[axis + 2], tap[axis], input.shape()[axis + 2]);
    if (!source) return -1;
    from[axis + 2] = *source;
  }
  return offset_of(from, input.shape());
}

// The padding is never the maximum. The second output is the flat position of the maximum; of equal
// values the first one counts.
std::vector<Tensor> max_pool(const KernelCall& call) {
  if (call.node.int_attribute("storage_order", 0) != 0) call.refuse("storage_order 1");
  const Tensor input = wide(call.input(0));
  const Window window =
      make_window(call, spatial_shape(input), call.node.ints_attribute("kernel_shape", {}));
  Tensor result(DataType::float64, full_index(input.shape()[0], input.shape()[1], window.output));
  Tensor places(DataType::int64, result.shape());
  const std::span<double> out = result.mutable_values<double>();
  const std::span<std::int64_t> places_out = places.mutable_values<std::int64_t>();
  std::size_t at = 0;
  for_each_index(result.shape(), [&](const Shape& index) {
    double largest = -std::numeric_limits<double>::infinity();
    std::int64_t place = -1;
    for_each_index(window.kernel, [&](const Shape& tap) {
      const std::int64_t offset = read(input, window, index, tap);
      if (offset < 0) return;
      const double value = input.values<double>()[static_cast<std::size_t>(offset)];
      if (place >= 0 && !(value > largest)) return;
      largest = value;
      place = offset;
    });
    out[at] = largest;
    places_out[at++] = place;
  });
  return {convert(result, call.input(0).type()), places};
}

/// Number of taps of the window that lie in the input or its declared padding. A window that is cut
/// off by ceil_mode has fewer taps than the kernel.
std::int64_t padded_taps(const Window& window, const Shape& index, const Shape& input_size) {
  std::int64_t count = 1;
  for (std::size_t axis = 0; axis < window.kernel.size(); ++axis) {
    std::int64_t inside = 0;
    for (std::int64_t tap = 0; tap < window.kernel[axis]; ++tap) {
      const std::int64_t position =
          index[axis + 2] * window.strides[axis] + tap * window.dilations[axis];
      if (position < input_size[axis] + window.pads_begin[axis] + window.pads_end[axis]) ++inside;
    }
    count *= inside;
  }
  return count;
}

std::vector<Tensor> average_pool(const KernelCall& call) {
  const bool counts_padding = call.node.int_attribute("count_include_pad", 0) != 0;
  const Tensor input = wide(call.input(0));
  const Shape input_size = spatial_shape(input);
  const Window window = make_window(call, input_size, call.node.ints_attribute("kernel_shape", {}));
  Tensor result(DataType::float64, full_index(input.shape()[0], input.shape()[1], window.output));
  const std::span<double> out = result.mutable_values<double>();
  std::size_t at = 0;
  for_each_index(result.shape(), [&](const Shape& index) {
    double sum = 0;
    std::int64_t count = 0;
    for_each_index(window.kernel, [&](const Shape& tap) {
      const std::int64_t offset = read(input, window, index, tap);
      if (offset < 0) return;
      sum += input.values<double>()[static_cast<std::size_t>(offset)];
      ++count;
    });
    out[at++] =
        sum / static_cast<double>(counts_padding ? padded_taps(window, index, input_size) : count);
  });
  return {convert(result, call.input(0).type())};
}

/// Pools all spatial axes at once: `combine(total, value)` accumulates, and `finish(total, count)`
/// gives the result.
template <typename Combine, typename Finish>
std::vector<Tensor> pool_all(const KernelCall& call, double start, const Combine& combine,
                             const Finish& finish) {
  const Tensor input = wide(call.input(0));
  Tensor result(DataType::float64,
                full_index(input.shape()[0], input.shape()[1], Shape(input.shape().size() - 2, 1)));
  const std::span<double> out = result.mutable_values<double>();
  const std::int64_t count = element_count(spatial_shape(input));
  for (std::size_t plane = 0; plane < out.size(); ++plane) {
    double total = start;
    for (std::int64_t position = 0; position < count; ++position) {
      total = combine(total, input.values<double>()[plane * static_cast<std::size_t>(count) +
                                                    static_cast<std::size_t>(position)]);
    }
    out[plane] = finish(total, static_cast<double>(count));
  }
  return {convert(result, call.input(0).type())};
}

std::vector<Tensor> global_average_pool(const KernelCall& call) {
  return pool_all(
      call, 0, [](double total, double value) { return total + value; },
      [](double total, double count) { return total / count; });
}

std::vector<Tensor> global_max_pool(const KernelCall& call) {
  return pool_all(
      call, -std::numeric_limits<double>::infinity(),
      [](double total, double value) { return std::max(total, value); },
      [](double total, double) { return total; });
}

}  // namespace

void add_pooling_kernels(KernelTable& table) {
  table["AveragePool"] = average_pool;
  table["GlobalAveragePool"] = global_average_pool;
  table["GlobalMaxPool"] = global_max_pool;
  table["MaxPool"] = max_pool;
}

}  // namespace quantsearch::reference
