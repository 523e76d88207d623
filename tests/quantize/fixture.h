#pragma once

// Quantizing small models in tests: ranges from random inputs, and what ONNX Runtime makes of the
// result.

#include <string>
#include <vector>

#include "quantsearch/quantize.h"
#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch::testing {

/// Min-max over a few random inputs of what tensors_to_observe names.
[[nodiscard]] Ranges observed_ranges(const Model& model, int samples = 3);
/// The same over given inputs.
[[nodiscard]] Ranges ranges_over(const Model& model, const std::vector<Batch>& samples);
[[nodiscard]] QuantizedModel quantized(const Model& model, const QuantizeOptions& options = {});
/// Makes `tensor` an output and gives it the shape that inference finds.
[[nodiscard]] Model build_with_output(ModelBuilder& builder, const std::string& tensor);
/// Operators of the graph ONNX Runtime really runs.
[[nodiscard]] std::map<std::string, int> fused_operators(const Model& model);
/// The largest difference between the fully optimized and the unoptimized model on random inputs,
/// in steps of the output: its scale, or 1/255 where it is not quantized, but no less than 1/255 of
/// its largest value.
[[nodiscard]] double steps_apart(const QuantizedModel& model, int samples = 2);
[[nodiscard]] double steps_apart_on(const QuantizedModel& model, const std::vector<Batch>& samples);
[[nodiscard]] std::string reason_of(const std::vector<LayerRecord>& layers,
                                    const std::string& node);
[[nodiscard]] bool is_quantized(const std::vector<LayerRecord>& layers, const std::string& node);
/// Conv, ConvTranspose, Gemm and MatMul nodes whose record says that they will not run as integers.
[[nodiscard]] int float_forecast(const std::vector<LayerRecord>& layers);
/// Number of nodes of a type, any domain.
[[nodiscard]] int count_of(const Model& model, const std::string& op_type);

}  // namespace quantsearch::testing
