#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <string>
#include <utility>

#include "quantsearch/base/error.h"
#include "runtime/reference_kernels.h"

namespace quantsearch::reference {

namespace {

std::vector<std::int64_t> first_axes(std::size_t count) {
  std::vector<std::int64_t> axes(count);
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

// Takes start : end : step on some axes by numpy's rules: negative positions count from the end,
// and positions out of range are clamped.
std::vector<Tensor> slice(const KernelCall& call) {
  const Tensor& input = call.input(0);
  const std::size_t rank = input.shape().size();
  const std::vector<std::int64_t> starts = call.ints(1, "starts", {});
  const std::vector<std::int64_t> ends = call.ints(2, "ends", {});
  const std::vector<std::int64_t> axes = call.ints(3, "axes", first_axes(starts.size()));
  const std::vector<std::int64_t> steps =
      call.ints(4, "steps", std::vector<std::int64_t>(starts.size(), 1));
  Shape shape = input.shape();
  Shape first(rank, 0);
  Shape step(rank, 1);
  for (std::size_t at = 0; at < starts.size(); ++at) {
    const std::size_t axis = resolve_axis(axes[at], rank);
    const std::int64_t size = input.shape()[axis];
    const bool is_forward = steps[at] > 0;
    const auto place = [&](std::int64_t value) {
      const std::int64_t counted = value < 0 ? value + size : value;
      return is_forward ? std::clamp<std::int64_t>(counted, 0, size)
                        : std::clamp<std::int64_t>(counted, -1, size - 1);
    };
    first[axis] = place(starts[at]);
    step[axis] = steps[at];
    const std::int64_t length =
        is_forward ? place(ends[at]) - first[axis] : first[axis] - place(ends[at]);
    const std::int64_t stride = std::abs(steps[at]);
    shape[axis] = std::max<std::int64_t>(0, (length + stride - 1) / stride);
  }
  return {pick_elements(input, shape, [&](const Shape& index) {
    Shape from(rank);
    for (std::size_t axis = 0; axis < rank; ++axis)
      from[axis] = first[axis] + index[axis] * step[axis];
    return offset_of(from, input.shape());
  })};
}

std::vector<Tensor> concat(const KernelCall& call) {
  Shape shape = call.input(0).shape();
  const std::size_t axis = resolve_axis(call.node.int_attribute("axis", 1), shape.size());
  shape[axis] = 0;
  for (const Tensor& input : call.inputs) shape[axis] += input.shape()[axis];
  const auto width = static_cast<std::size_t>(bits_of(call.input(0).type()) / 8);
  const auto outer = static_cast<std::size_t>(
      element_count({shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(axis)}));
  std::vector<std::byte> bytes;
  for (std::size_t row = 0; row < outer; ++row) {
    for (const Tensor& input : call.inputs) {
      const std::size_t run = static_cast<std::size_t>(input.size()) / outer * width;
      const std::span<const std::byte> part = input.bytes().subspan(row * run, run);
      bytes.insert(bytes.end(), part.begin(), part.end());
    }
  }
  return {Tensor::from_bytes(call.input(0).type(), shape, bytes)};
}

// The sizes come from the attribute or input `split`; without it the parts are equal (since opset
// 18 the last one may be smaller).
std::vector<Tensor> split(const KernelCall& call) {
  const Tensor& input = call.input(0);
  const std::size_t axis = resolve_axis(call.node.int_attribute("axis", 0), input.shape().size());
  const auto count = static_cast<std::int64_t>(call.node.outputs.size());
  std::vector<std::int64_t> sizes = call.ints(1, "split", {});
  for (std::int64_t left = input.shape()[axis]; static_cast<std::int64_t>(sizes.size()) < count;) {
    const std::int64_t part = std::min(left, (input.shape()[axis] + count - 1) / count);
    sizes.push_back(part);
    left -= part;
  }
  std::vector<Tensor> parts;
  std::int64_t first = 0;
  for (const std::int64_t size : sizes) {
    Shape shape = input.shape();
    shape[axis] = size;
    parts.push_back(pick_elements(input, shape, [&](Shape index) {
      index[axis] += first;
      return offset_of(index, input.shape());
    }));
    first += size;
  }
  return parts;
}

// The shape of the indices replaces `axis` in the shape of the result.
std::vector<Tensor> gather(const KernelCall& call) {
  const Tensor& input = call.input(0);
  const Tensor& places = call.input(1);
  const std::size_t axis = resolve_axis(call.node.int_attribute("axis", 0), input.shape().size());
  const std::vector<std::int64_t> indices = to_int64s(places);
  const std::int64_t size = input.shape()[axis];
  const auto split = input.shape().begin() + static_cast<std::ptrdiff_t>(axis);
  Shape shape(input.shape().begin(), split);
  shape.insert(shape.end(), places.shape().begin(), places.shape().end());
  shape.insert(shape.end(), split + 1, input.shape().end());
  const std::size_t behind = axis + places.shape().size();
  return {pick_elements(input, shape, [&](const Shape& index) {
    const auto at = static_cast<std::ptrdiff_t>(behind);
    const Shape place(index.begin() + static_cast<std::ptrdiff_t>(axis), index.begin() + at);
    const std::int64_t wanted = indices[static_cast<std::size_t>(offset_of(place, places.shape()))];
    if (wanted < -size || wanted >= size) {
      throw InvalidInput(
          fmt::format("reference session: Gather '{}' index {} is outside an axis of {}",
                      call.node.name, wanted, size));
    }
    Shape from(index.begin(), index.begin() + static_cast<std::ptrdiff_t>(axis));
    from.push_back(wanted < 0 ? wanted + size : wanted);
    from.insert(from.end(), index.begin() + at, index.end());
    return offset_of(from, input.shape());
  })};
}

/// The position of the input that supplies the padded position `at` of an axis of `size`; -1 means
/// the constant.
std::int64_t padded_source(const std::string& mode, std::int64_t at, std::int64_t size) {
  if (at >= 0 && at < size) return at;
  if (mode == "constant") return -1;
  if (mode == "edge") return std::clamp<std::int64_t>(at, 0, size - 1);
  if (mode == "wrap") return ((at % size) + size) % size;
  if (size == 1) return 0;
  const std::int64_t period = 2 * (size - 1);  // reflect does not repeat the edge itself
  const std::int64_t turned = ((at % period) + period) % period;
  return turned < size ? turned : period - turned;
}

std::vector<Tensor> pad(const KernelCall& call) {
  const Tensor& input = call.input(0);
  const std::size_t rank = input.shape().size();
  const std::string mode = call.node.string_attribute("mode", "constant");
  const std::vector<std::int64_t> pads = call.ints(1, "pads", {});
  const std::vector<std::int64_t> axes = call.has(3) ? to_int64s(call.input(3)) : first_axes(rank);
  Tensor fill = convert(Tensor::scalar(call.node.float_attribute("value", 0)), input.type());
  if (call.has(2)) fill = call.input(2);
  Shape shape = input.shape();
  Shape begin(rank, 0);
  for (std::size_t at = 0; at < axes.size(); ++at) {
    const std::size_t axis = resolve_axis(axes[at], rank);
    begin[axis] = pads[at];
    shape[axis] += pads[at] + pads[at + axes.size()];
  }
  const auto source = [&](const Shape& index) {
    Shape from(rank);
    for (std::size_t axis = 0; axis < rank; ++axis) {
      from[axis] = padded_source(mode, index[axis] - begin[axis], input.shape()[axis]);
      if (from[axis] < 0) return std::int64_t{-1};
    }
    return offset_of(from, input.shape());
  };
  return {pick_elements(input, shape, source, fill)};
}

}  // namespace

void add_slicing_kernels(KernelTable& table) {
  table["Concat"] = concat;
  table["Gather"] = gather;
  table["Pad"] = pad;
  table["Slice"] = slice;
  table["Split"] = split;
}

}  // namespace quantsearch::reference
