#pragma once

// Helpers for tests that quantize small models: ranges from random inputs, and comparisons of the
// result in ONNX Runtime.

#include <string>
#include <vector>

#include "quantsearch/quantize.h"
#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch::testing {

/// Min-max ranges of the tensors from tensors_to_observe() over a few random inputs.
[[nodiscard]] Ranges observed_ranges(const Model& model, int samples = 3);
/// The same over given inputs.
[[nodiscard]] Ranges ranges_over(const Model& model, const std::vector<Batch>& samples);
[[nodiscard]] QuantizedModel quantized(const Model& model, const QuantizeOptions& options = {});
/// Builds the model with `tensor` as an output, whose shape is inferred.
[[nodiscard]] Model build_with_output(ModelBuilder& builder, const std::string& tensor);
/// A 1x1 Conv with bias on two channels whose numbers can be checked by hand. The bias is 0.3 and
/// `second_bias`.
[[nodiscard]] Model tiny_conv(float second_bias = -0.1F, std::int64_t opset = 17);
inline const Ranges kTinyRanges = {{"x", {-1, 1.55}}, {"conv_out", {-2, 3.1}}};
/// Number of operators by type in the graph that ONNX Runtime runs after optimization.
[[nodiscard]] std::map<std::string, int> fused_operators(const Model& model);
/// The largest difference between the fully optimized and the unoptimized model on random inputs,
/// in steps of the output. A step is the scale of the output, or 1/255 when it is not quantized,
/// but at least 1/255 of its largest value.
[[nodiscard]] double steps_apart(const QuantizedModel& model, int samples = 2);
[[nodiscard]] double steps_apart_on(const QuantizedModel& model, const std::vector<Batch>& samples);
[[nodiscard]] std::string reason_of(const std::vector<LayerRecord>& layers,
                                    const std::string& node);
[[nodiscard]] bool is_quantized(const std::vector<LayerRecord>& layers, const std::string& node);
/// Number of Conv, ConvTranspose, Gemm and MatMul nodes that run in float according to their
/// record.
[[nodiscard]] int float_forecast(const std::vector<LayerRecord>& layers);
/// Number of nodes of a type in any domain.
[[nodiscard]] int count_of(const Model& model, const std::string& op_type);

}  // namespace quantsearch::testing
