#pragma once

// Chooses the scales of the weights and biases of Conv, Gemm and MatMul. Nothing is quantized with
// them yet, because rules across several layers (npu_rules.h) may still change them.

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
  unchanged,  // there is none, or it stays float
  product,    // int32 with scale s_in * s_w
  shifted,    // int16 with that scale times a power of two
  own,        // with a scale of its own, like a weight
};

/// The scales of one node's weight and bias.
struct LayerScales {
  int node = 0;
  std::string weight;  // initializer
  WeightOptions options;
  float factor = 1;                               // Gemm: alpha
  const TensorOverride* wanted = nullptr;         // override of the weight; null: none
  std::shared_ptr<const QuantizedTensor> stored;  // integers of the model to keep; null: none
  std::vector<Range> ranges;                      // of the weight times `factor`, one per channel
  TensorParams params;                            // of the weight
  std::string input;                              // tensor whose scale multiplies the weight's
  DataType input_type = DataType::undefined;
  std::string bias;       // initializer, "" when there is none
  float bias_factor = 1;  // Gemm: beta
  const TensorOverride* wanted_bias = nullptr;
  BiasForm bias_form = BiasForm::unchanged;
  TensorParams bias_params;          // when bias_form is `own`
  std::optional<PairLimits> limits;  // absent: no kernel saturates, or the target allows it
  // Present together with `limits` when the channels of the input were observed.
  std::optional<InputMoments> moments;
  std::vector<bool> wider_for_pairs;  // [scales], with `limits`: the scale grew for safe pairs
  double widened = 1;                 // factor by which the int32 bias enlarged the weight's scale
};

/// How weights are quantized under `options`, with `axis` when each channel has a scale. `wanted`
/// may be null.
[[nodiscard]] WeightOptions weight_options(const QuantizeOptions& options, DataType type, int axis,
                                           const TensorOverride* wanted);

/// The axis of a weight's output channels; -1 when the channels cannot have one scale each.
[[nodiscard]] int channel_axis(const Node& node, const Tensor& weight);
[[nodiscard]] std::int64_t output_channels(const Node& node, const Tensor& weight);

/// The tensor whose scale multiplies the weight's: input 0, or the input of a merged Pad.
[[nodiscard]] std::string scaled_input(const PlanView& view, int node);

/// The scales of every quantized node with a constant weight, in the order of the nodes. Throws
/// InvalidInput when the scale given by an override is too small for an int32 bias.
[[nodiscard]] std::vector<LayerScales> choose_layer_scales(const PlanView& view,
                                                           const Activations& activations,
                                                           ThreadPool& pool);

}  // namespace quantsearch
