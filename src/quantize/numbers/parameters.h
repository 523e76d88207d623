#pragma once

// Weights and biases of the quantized Conv, Gemm and MatMul nodes.

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

/// What a compute node gets in place of its weight and bias.
struct LayerParameters {
  std::string weight;                                       // initializer
  std::shared_ptr<const QuantizedTensor> quantized_weight;  // shared by nodes that read it alike
  std::string bias;  // initializer; "" when there is none or it stays as it is
  std::optional<QuantizedTensor> quantized_bias;
  std::optional<Tensor> float_bias;  // Gemm: beta * C, when it cannot be an integer
  std::string note;                  // for the layer record
};

/// By node index. Gemm's alpha and beta are multiplied into its constants: only plain Gemm has an
/// integer kernel.
[[nodiscard]] std::map<int, LayerParameters> quantize_parameters(
    const PlanView& view, const Activations& activations, const std::vector<LayerScales>& layers,
    ThreadPool& pool);

}  // namespace quantsearch
