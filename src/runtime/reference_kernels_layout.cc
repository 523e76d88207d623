#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "runtime/reference_kernels.h"

namespace quantsearch::reference {

namespace {

// A size of 0 copies the input's size at the same axis (unless allowzero is set), and -1 is
// inferred from the other sizes.
std::vector<Tensor> reshape(const KernelCall& call) {
  const Tensor& input = call.input(0);
  Shape shape = to_int64s(call.input(1));
  const bool keeps_zero = call.node.int_attribute("allowzero", 0) != 0;
  std::int64_t known = 1;
  auto open = shape.end();
  for (auto size = shape.begin(); size != shape.end(); ++size) {
    if (*size == 0 && !keeps_zero)
      *size = input.shape().at(static_cast<std::size_t>(size - shape.begin()));
    if (*size == -1)
      open = size;
    else
      known *= *size;
  }
  if (open != shape.end()) *open = known == 0 ? 0 : input.size() / known;
  return {input.reshaped(shape)};
}

std::vector<Tensor> flatten(const KernelCall& call) {
  const Tensor& input = call.input(0);
  const std::int64_t axis = call.node.int_attribute("axis", 1);
  const auto rank = static_cast<std::int64_t>(input.shape().size());
  const auto split = input.shape().begin() + (axis < 0 ? axis + rank : axis);
  return {input.reshaped({element_count({input.shape().begin(), split}),
                          element_count({split, input.shape().end()})})};
}

std::vector<Tensor> squeeze(const KernelCall& call) {
  const Tensor& input = call.input(0);
  const std::size_t rank = input.shape().size();
  const std::vector<std::int64_t> axes = call.ints(1, "axes", {});
  std::vector<bool> is_dropped(rank, false);
  for (const std::int64_t axis : axes) is_dropped[resolve_axis(axis, rank)] = true;
  Shape shape;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const bool drops = axes.empty() ? input.shape()[axis] == 1 : is_dropped[axis];
    if (!drops) shape.push_back(input.shape()[axis]);
  }
  return {input.reshaped(shape)};
}

std::vector<Tensor> unsqueeze(const KernelCall& call) {
  const Tensor& input = call.input(0);
  const std::vector<std::int64_t> axes = call.ints(1, "axes", {});
  const std::size_t rank = input.shape().size() + axes.size();
  Shape shape(rank, 0);
  for (const std::int64_t axis : axes) shape[resolve_axis(axis, rank)] = 1;
  auto next = input.shape().begin();
  for (std::int64_t& size : shape) {
    if (size == 0) size = *next++;
  }
  return {input.reshaped(shape)};
}

std::vector<Tensor> transpose(const KernelCall& call) {
  const Tensor& input = call.input(0);
  const std::size_t rank = input.shape().size();
  Shape reversed(rank);
  for (std::size_t axis = 0; axis < rank; ++axis)
    reversed[axis] = static_cast<std::int64_t>(rank - 1 - axis);
  const Shape order = call.node.ints_attribute("perm", reversed);
  Shape shape(rank);
  for (std::size_t axis = 0; axis < rank; ++axis)
    shape[axis] = input.shape()[resolve_axis(order[axis], rank)];
  return {pick_elements(input, shape, [&](const Shape& index) {
    Shape from(rank);
    for (std::size_t axis = 0; axis < rank; ++axis)
      from[resolve_axis(order[axis], rank)] = index[axis];
    return offset_of(from, input.shape());
  })};
}

std::vector<Tensor> shape_of(const KernelCall& call) {
  const Shape& shape = call.input(0).shape();
  const auto rank = static_cast<std::int64_t>(shape.size());
  const auto place = [rank](std::int64_t axis) {
    return std::clamp<std::int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
  };
  const std::int64_t start = place(call.node.int_attribute("start", 0));
  const std::int64_t end = std::max(start, place(call.node.int_attribute("end", rank)));
  const std::vector<std::int64_t> sizes(shape.begin() + start, shape.begin() + end);
  return {Tensor::of<std::int64_t>({end - start}, sizes)};
}

std::vector<Tensor> identity(const KernelCall& call) { return {call.input(0)}; }

// At inference the input passes through and the mask is all true (a floating-point tensor up to
// opset 9).
std::vector<Tensor> dropout(const KernelCall& call) {
  if (call.has(2) && wide(call.input(2)).values<double>()[0] != 0) call.refuse("training mode");
  const Tensor& input = call.input(0);
  Tensor mask(DataType::float32, input.shape());
  std::ranges::fill(mask.mutable_values<float>(), 1.0F);
  return {input, convert(mask, call.opset < 10 ? input.type() : DataType::boolean)};
}

std::vector<Tensor> constant(const KernelCall& call) {
  const auto whole = [](std::size_t count) { return Shape{static_cast<std::int64_t>(count)}; };
  for (const Attribute& attribute : call.node.attributes) {
    if (const auto* tensor = std::get_if<Tensor>(&attribute.value)) return {*tensor};
    if (const auto* number = std::get_if<float>(&attribute.value)) return {Tensor::scalar(*number)};
    if (const auto* integer = std::get_if<std::int64_t>(&attribute.value))
      return {Tensor::scalar(*integer)};
    if (const auto* text = std::get_if<std::string>(&attribute.value))
      return {Tensor::of_strings({}, {*text})};
    if (const auto* numbers = std::get_if<std::vector<float>>(&attribute.value)) {
      return {Tensor::of<float>(whole(numbers->size()), *numbers)};
    }
    if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&attribute.value)) {
      return {Tensor::of<std::int64_t>(whole(integers->size()), *integers)};
    }
    if (const auto* texts = std::get_if<std::vector<std::string>>(&attribute.value)) {
      return {Tensor::of_strings(whole(texts->size()), *texts)};
    }
  }
  call.refuse("no value");
}

}  // namespace

void add_layout_kernels(KernelTable& table) {
  table["Constant"] = constant;
  table["Dropout"] = dropout;
  table["Flatten"] = flatten;
  table["Identity"] = identity;
  table["Reshape"] = reshape;
  table["Shape"] = shape_of;
  table["Squeeze"] = squeeze;
  table["Transpose"] = transpose;
  table["Unsqueeze"] = unsqueeze;
}

}  // namespace quantsearch::reference
