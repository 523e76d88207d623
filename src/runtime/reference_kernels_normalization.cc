#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "runtime/reference_kernels.h"

namespace quantsearch::reference {

namespace {

// y = scale (x - mean) / sqrt(variance + epsilon) + bias, with one value of each parameter per
// channel.
std::vector<Tensor> batch_normalization(const KernelCall& call) {
  if (call.node.int_attribute("training_mode", 0) != 0) call.refuse("training_mode 1");
  if (call.node.int_attribute("spatial", 1) != 1) call.refuse("spatial 0");
  const double epsilon = call.node.float_attribute("epsilon", 1e-5F);
  Tensor result = wide(call.input(0));
  const Tensor scale = wide(call.input(1));
  const Tensor bias = wide(call.input(2));
  const Tensor mean = wide(call.input(3));
  const Tensor variance = wide(call.input(4));
  const std::span<double> out = result.mutable_values<double>();
  std::size_t at = 0;
  for_each_index(result.shape(), [&](const Shape& index) {
    const auto channel = static_cast<std::size_t>(index[1]);
    const double deviation = std::sqrt(variance.values<double>()[channel] + epsilon);
    out[at] =
        scale.values<double>()[channel] * (out[at] - mean.values<double>()[channel]) / deviation +
        bias.values<double>()[channel];
    ++at;
  });
  return {convert(result, call.input(0).type())};
}

// y = scale (x - mean) / sqrt(variance + epsilon) + bias, normalized over the axes from `axis` to
// the last. The mean and 1 / deviation are optional outputs.
std::vector<Tensor> layer_normalization(const KernelCall& call) {
  const double epsilon = call.node.float_attribute("epsilon", 1e-5F);
  Tensor result = wide(call.input(0));
  const Shape& shape = result.shape();
  const std::size_t axis = resolve_axis(call.node.int_attribute("axis", -1), shape.size());
  const Shape inner(shape.begin() + static_cast<std::ptrdiff_t>(axis), shape.end());
  Shape outer(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(axis));
  outer.resize(shape.size(), 1);
  const Tensor scale = wide(call.input(1));
  const Tensor bias = call.has(2) ? wide(call.input(2)) : Tensor(DataType::float64, {1});
  Tensor means(DataType::float64, outer);
  Tensor inverses(DataType::float64, outer);
  const auto count = static_cast<std::size_t>(element_count(inner));
  const std::span<double> out = result.mutable_values<double>();
  for (std::size_t row = 0; row < static_cast<std::size_t>(means.size()); ++row) {
    const std::span<double> values = out.subspan(row * count, count);
    const double mean =
        std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(count);
    double variance = 0;
    for (const double value : values) variance += (value - mean) * (value - mean);
    const double inverse = 1 / std::sqrt(variance / static_cast<double>(count) + epsilon);
    std::size_t at = 0;
    for_each_index(inner, [&](const Shape& index) {
      const auto in_scale = static_cast<std::size_t>(broadcast_offset(index, scale.shape()));
      const auto in_bias = static_cast<std::size_t>(broadcast_offset(index, bias.shape()));
      values[at] = scale.values<double>()[in_scale] * (values[at] - mean) * inverse +
                   bias.values<double>()[in_bias];
      ++at;
    });
    means.mutable_values<double>()[row] = mean;
    inverses.mutable_values<double>()[row] = inverse;
  }
  const DataType type = call.input(0).type();
  return {convert(result, type), convert(means, DataType::float32),
          convert(inverses, DataType::float32)};
}

// y = exp(x - max) / sum of exp(x - max) along one axis; up to opset 12, over all axes from `axis`
// on.
std::vector<Tensor> softmax(const KernelCall& call) {
  Tensor result = wide(call.input(0));
  const Shape shape = result.shape();
  if (shape.empty()) return {Tensor::scalar(1.0F)};
  const std::size_t axis =
      resolve_axis(call.node.int_attribute("axis", call.opset < 13 ? 1 : -1), shape.size());
  const auto split = shape.begin() + static_cast<std::ptrdiff_t>(axis);
  const auto end = call.opset < 13 ? shape.end() : split + 1;
  const auto outer = static_cast<std::size_t>(element_count({shape.begin(), split}));
  const auto along = static_cast<std::size_t>(element_count({split, end}));
  const auto inner = static_cast<std::size_t>(element_count({end, shape.end()}));
  const std::span<double> out = result.mutable_values<double>();
  for (std::size_t row = 0; row < outer * inner; ++row) {
    const std::size_t first = row / inner * along * inner + row % inner;
    double largest = -std::numeric_limits<double>::infinity();
    for (std::size_t step = 0; step < along; ++step)
      largest = std::max(largest, out[first + step * inner]);
    double sum = 0;
    for (std::size_t step = 0; step < along; ++step) {
      double& value = out[first + step * inner];
      value = std::exp(value - largest);
      sum += value;
    }
    for (std::size_t step = 0; step < along; ++step) out[first + step * inner] /= sum;
  }
  return {convert(result, call.input(0).type())};
}

std::vector<Tensor> reduce_mean(const KernelCall& call) {
  const Tensor input = wide(call.input(0));
  const std::size_t rank = input.shape().size();
  const std::vector<std::int64_t> axes = call.ints(1, "axes", {});
  if (axes.empty() && call.node.int_attribute("noop_with_empty_axes", 0) != 0)
    return {call.input(0)};
  std::vector<bool> is_reduced(rank, axes.empty());
  for (const std::int64_t axis : axes) is_reduced[resolve_axis(axis, rank)] = true;

  Shape kept = input.shape();
  Shape squeezed;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    if (is_reduced[axis])
      kept[axis] = 1;
    else
      squeezed.push_back(kept[axis]);
  }
  Tensor result(DataType::float64, kept);
  const std::span<double> out = result.mutable_values<double>();
  std::size_t at = 0;
  for_each_index(input.shape(), [&](const Shape& index) {
    out[static_cast<std::size_t>(broadcast_offset(index, kept))] += input.values<double>()[at++];
  });
  for (double& sum : out)
    sum *= static_cast<double>(out.size()) / static_cast<double>(input.size());
  const bool keeps_axes = call.node.int_attribute("keepdims", 1) != 0;
  return {convert(keeps_axes ? result : result.reshaped(squeezed), call.input(0).type())};
}

}  // namespace

void add_normalization_kernels(KernelTable& table) {
  table["BatchNormalization"] = batch_normalization;
  table["LayerNormalization"] = layer_normalization;
  table["ReduceMean"] = reduce_mean;
  table["Softmax"] = softmax;
}

}  // namespace quantsearch::reference
