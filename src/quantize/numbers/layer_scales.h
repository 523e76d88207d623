#pragma once

// Scales of the weights and biases of Conv, Gemm and MatMul, before anything is quantized with
// them: rules that look at several layers at once (npu_rules.h) still change them.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quantize/numbers/activations.h"
#include "quantize/numbers/safe_rounding.h"
#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// How the bias of a layer is stored.
enum class BiasForm {
  unchanged,  // none, or float
  product,    // int32 of scale s_in * s_w
  shifted,    // int16 of that scale times a power of two
  own,        // with a scale of its own, like a weight
};

/// One reading of a weight by a node.
struct LayerScales {
  int node = 0;
  std::string weight;  // initializer
  WeightOptions options;
  float factor = 1;                               // Gemm: alpha
  const TensorOverride* wanted = nullptr;         // null: nothing
  std::shared_ptr<const QuantizedTensor> stored;  // the model's own integers, kept; null: none
  std::vector<Range> ranges;                      // of the weight times `factor`, one per channel
  TensorParams params;                            // of the weight
  std::string input;                              // tensor whose scale multiplies the weight's
  DataType input_type = DataType::undefined;
  std::string bias;       // initializer, "" when there is none
  float bias_factor = 1;  // Gemm: beta
  const TensorOverride* wanted_bias = nullptr;
  BiasForm bias_form = BiasForm::unchanged;
  TensorParams bias_params;          // own
  std::optional<PairLimits> limits;  // absent: no kernel saturates, or the target does not mind
  // Beside `limits`, where the channels of the input were observed.
  std::optional<InputMoments> moments;
  std::vector<bool> wider_for_pairs;  // [scales], beside `limits`: the scale grew for safe pairs
  double widened = 1;                 // how much the int32 bias enlarged the weight's scale
};

/// How weights are quantized under `options`; `axis` is used where each channel has a scale.
[[nodiscard]] WeightOptions weight_options(const QuantizeOptions& options, DataType type, int axis,
                                           const TensorOverride* wanted);

/// Axis of a weight's output channels, -1 where there is none with one scale each.
[[nodiscard]] int channel_axis(const Node& node, const Tensor& weight);
[[nodiscard]] std::int64_t output_channels(const Node& node, const Tensor& weight);
/// `tensor` times `factor`; shares the bytes when that is 1.
[[nodiscard]] Tensor scaled(const Tensor& tensor, float factor);

/// The tensor whose scale multiplies the weight's: input 0, or what a merged Pad reads.
[[nodiscard]] std::string scaled_input(const PlanView& view, int node);

/// Of every quantized node with a constant weight, in the order of the nodes.
/// Throws InvalidInput when an override leaves no room for an int32 bias.
[[nodiscard]] std::vector<LayerScales> choose_layer_scales(const PlanView& view,
                                                           const Activations& activations,
                                                           ThreadPool& pool);

}  // namespace quantsearch
