#pragma once

// A Conv, ConvTranspose, Gemm or MatMul with a constant weight, seen as input and output channels.

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/model.h"

namespace quantsearch::equalizing {

/// Where the weights of a pair of channels lie. Output-major: Conv [out, in / groups, kernel...],
/// Gemm with transB [out, in]. Input-major: ConvTranspose [in, out / groups, kernel...], Gemm and
/// MatMul [batches..., in, out].
struct WeightLayout {
  enum class Order { output_major, input_major };
  Order order = Order::output_major;
  std::int64_t batches = 1;
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  std::int64_t groups = 1;
  std::int64_t kernel = 1;  // weights of one pair of channels, side by side

  auto operator<=>(const WeightLayout&) const = default;

  /// One input channel makes one output channel.
  [[nodiscard]] bool is_depthwise() const {
    return groups > 1 && groups == inputs && inputs == outputs;
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

/// What the node adds to each output channel.
struct LayerBias {
  bool is_readable = true;     // false: it is not one constant per channel
  std::vector<double> values;  // [outputs]; empty: there is none
};

struct LinearLayer {
  int node = 0;
  WeightLayout layout;
  std::shared_ptr<const Tensor> weight;  // float32, input 1 of the node
  LayerBias bias;                        // input 2, Gemm's beta multiplied in
};

/// Absent when the node is no such layer, or its weight is not a float32 constant of a fitting
/// shape.
[[nodiscard]] std::optional<LinearLayer> linear_layer(const Graph& graph, const GraphIndex& index,
                                                      int node);

/// An initializer that no caller can override; null when there is none.
[[nodiscard]] std::shared_ptr<const Tensor> constant_of(const GraphIndex& index,
                                                        std::string_view tensor);

/// `constant` as one number per channel when adding it to a tensor of `rank` axes acts per channel
/// on axis `axis` and does not change the shape.
[[nodiscard]] std::optional<std::vector<double>> per_channel(const Tensor& constant, int rank,
                                                             int axis, std::int64_t channels);

}  // namespace quantsearch::equalizing
