#pragma once

// The operators that multiply their input by a matrix of weights: Conv, ConvTranspose, Gemm and
// MatMul. Every room takes the position of their weights and channels from here.

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "quantsearch/model.h"

namespace quantsearch {

/// True for Conv, ConvTranspose, Gemm and MatMul.
[[nodiscard]] bool is_linear(const Node& node);
/// True for Conv, ConvTranspose and Gemm, whose input 2 is an optional bias.
[[nodiscard]] bool takes_bias(const Node& node);

/// Where the weights of an input and an output channel are in the initializer (input 1).
struct WeightLayout {
  enum class Order {
    output_major,  // Conv [out, in / groups, kernel...], Gemm with transB [out, in]
    input_major,  // ConvTranspose [in, out / groups, kernel...], Gemm, MatMul [batches..., in, out]
  };
  Order order = Order::output_major;
  std::int64_t batches = 1;  // MatMul: matrices in the stack
  std::int64_t inputs = 0;   // channels of all groups
  std::int64_t outputs = 0;  // channels of all groups
  std::int64_t groups = 1;
  std::int64_t kernel = 1;  // weights of one pair of channels, which are contiguous
  // Axis of the initializer along which the output channels lie. Absent for a ConvTranspose with
  // groups, whose axis 1 has those of one group only, for a stack of matrices and for a vector.
  std::optional<int> output_axis = {};

  auto operator<=>(const WeightLayout&) const = default;

  /// True when each output channel is computed from an input channel of its own.
  [[nodiscard]] bool is_depthwise() const {
    return groups > 1 && groups == inputs && inputs == outputs;
  }

  // The weights as the rows of a matrix product: one row per output channel, the matrices of a
  // stack one after the other. A column is (input channel of the group, kernel position).
  [[nodiscard]] std::int64_t rows() const { return batches * outputs; }
  [[nodiscard]] std::int64_t columns() const { return inputs / groups * kernel; }
  [[nodiscard]] std::int64_t group_of(std::int64_t row) const {
    return row % outputs / (outputs / groups);
  }
  /// Index in the initializer of the weight at `row` and `column`.
  [[nodiscard]] std::int64_t offset(std::int64_t row, std::int64_t column) const {
    if (order == Order::output_major) return row * columns() + column;
    const std::int64_t group_outputs = outputs / groups;
    const std::int64_t output = row % outputs;
    const std::int64_t input = output / group_outputs * (inputs / groups) + column / kernel;
    const std::int64_t matrix = row / outputs * inputs;
    return ((matrix + input) * group_outputs + output % group_outputs) * kernel + column % kernel;
  }
  /// Calls visit(column, offset) for every weight of a row, in the order of the columns.
  template <typename Visit>
  void for_each_in_row(std::int64_t row, const Visit& visit) const {
    const std::int64_t stride = order == Order::output_major ? kernel : outputs / groups * kernel;
    const std::int64_t count = columns();
    std::int64_t run = offset(row, 0);
    for (std::int64_t column = 0; column < count; run += stride) {
      for (std::int64_t at = 0; at < kernel; ++at, ++column) visit(column, run + at);
    }
  }

  /// Calls visit(input, output, offset) for each run of `kernel` weights, in memory order.
  template <typename Visit>
  void for_each_run(const Visit& visit) const {
    const std::int64_t group_inputs = inputs / groups;
    const std::int64_t group_outputs = outputs / groups;
    const bool by_output = order == Order::output_major;
    const std::int64_t outer = by_output ? outputs : inputs;
    const std::int64_t inner = by_output ? group_inputs : group_outputs;
    const std::int64_t outer_of_group = by_output ? group_outputs : group_inputs;
    std::int64_t offset = 0;
    for (std::int64_t batch = 0; batch < batches; ++batch) {
      for (std::int64_t major = 0; major < outer; ++major) {
        const std::int64_t first = major / outer_of_group * inner;
        for (std::int64_t minor = first; minor < first + inner; ++minor, offset += kernel) {
          by_output ? visit(minor, major, offset) : visit(major, minor, offset);
        }
      }
    }
  }
};

/// The layout of a weight of shape `weight`; absent when the node is not a linear layer or the
/// shape does not fit it.
[[nodiscard]] std::optional<WeightLayout> weight_layout(const Node& node, const Shape& weight);

/// `constant` as one number per channel [channels]. Absent unless adding it to (or multiplying it
/// with) a tensor of `rank` axes acts per channel on axis `axis` and keeps the shape.
[[nodiscard]] std::optional<std::vector<double>> values_per_channel(const Tensor& constant,
                                                                    int rank, int axis,
                                                                    std::int64_t channels);

/// The constant `bias` of `node`, for which takes_bias() is true, as one number per output channel
/// [outputs], multiplied by Gemm's beta. Absent when it is not float32 or not one number per
/// channel.
[[nodiscard]] std::optional<std::vector<double>> bias_per_channel(const Node& node,
                                                                  const Tensor& bias,
                                                                  std::int64_t outputs);

/// The float32 `tensor` times `factor`, which is Gemm's alpha or beta; shares the bytes of `tensor`
/// when it is 1.
[[nodiscard]] Tensor scaled(Tensor tensor, float factor);

}  // namespace quantsearch
