#pragma once

// Quantizes the weights and biases of Conv, Gemm and MatMul nodes with the chosen scales.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quantize/numbers/activations.h"
#include "quantize/numbers/layer_scales.h"
#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// The constants that replace the weight and bias of a compute node.
struct LayerParameters {
  std::string weight;                                       // initializer
  std::shared_ptr<const QuantizedTensor> quantized_weight;  // shared by nodes with equal scales
  std::string bias;  // initializer; "" when there is none or it stays as it is
  std::optional<QuantizedTensor> quantized_bias;
  std::optional<Tensor> float_bias;  // Gemm: beta * C, when it cannot be an integer
  std::string note;                  // for the layer record
};

/// The parameters by node index. Gemm's alpha and beta are multiplied into its constants, because
/// only a Gemm with alpha = beta = 1 has an integer kernel.
[[nodiscard]] std::map<int, LayerParameters> quantize_parameters(
    const PlanView& view, const Activations& activations, const std::vector<LayerScales>& layers,
    ThreadPool& pool);

}  // namespace quantsearch
