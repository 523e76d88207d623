#pragma once

// What a pass is: a function from a model to a model of the same function, with a word on what it
// did and what it left alone. simplify.cc holds the order.

#include <cstdint>
#include <string>
#include <vector>

#include "quantsearch/model.h"
#include "quantsearch/transform.h"

namespace quantsearch {

struct PassResult {
  Model model;
  std::vector<std::string> notes;
};

/// Converts ai.onnx to `version`; leaves newer models alone.
[[nodiscard]] PassResult raise_opset(Model model, std::int64_t version);
/// Initializers that are also graph inputs (defaults a caller may override) become plain constants.
[[nodiscard]] PassResult plain_initializers(Model model);
/// Constant nodes of the main graph become initializers of the same name.
[[nodiscard]] PassResult constants_to_initializers(Model model);
/// Every float16 tensor, attribute, input and output becomes float32, subgraphs included.
[[nodiscard]] PassResult fp16_to_fp32(Model model);
/// Drops Identity, Dropout in inference and Cast to the type a tensor has.
[[nodiscard]] PassResult remove_identities(Model model);
/// FusedMatMul, FusedConv and FusedGemm of com.microsoft become the operators they were made of.
[[nodiscard]] PassResult split_fused_layers(Model model);
/// Attention of com.microsoft becomes MatMul, Add, Split and MultiHeadAttention.
[[nodiscard]] PassResult split_attention(Model model);
/// Einsum of two operands that is a matrix product becomes MatMul.
[[nodiscard]] PassResult einsum_to_matmul(Model model);
/// Sum becomes a chain of Adds.
[[nodiscard]] PassResult sum_to_add(Model model);
/// Transpose, Reshape and their like behind the DequantizeLinear of a stored tensor move its
/// integers instead.
[[nodiscard]] PassResult dequantize_last(Model model);
/// Addends of Conv, ConvTranspose and Gemm that are no constant per channel become an Add.
[[nodiscard]] PassResult split_addends(Model model);
/// Computes nodes whose inputs are all constant, and Shape and Size of tensors of known shape.
[[nodiscard]] PassResult fold_constants(Model model);
/// An If whose condition is a constant becomes the branch that is taken; with `folds`, conditions
/// that become constant by that are folded, too.
[[nodiscard]] PassResult inline_constant_ifs(Model model, bool folds);
/// Div by a constant becomes Mul by its reciprocal.
[[nodiscard]] PassResult div_to_mul(Model model);
/// Mul and Add by one constant per channel right behind Conv, ConvTranspose or Gemm go into its
/// weight and bias.
[[nodiscard]] PassResult fold_channel_constants(Model model);
/// BatchNormalization right behind Conv, ConvTranspose, Gemm, MatMul or MatMul + Add goes into the
/// layer's constants.
[[nodiscard]] PassResult fold_batch_norm(Model model);
/// ReduceMean over the two spatial axes of a rank-4 tensor becomes GlobalAveragePool.
[[nodiscard]] PassResult reduce_mean_to_global_pool(Model model);
/// Flatten becomes Reshape where the sizes it needs are known.
[[nodiscard]] PassResult flatten_to_reshape(Model model);
/// Pad with constant `axes` becomes Pad with amounts for every axis.
[[nodiscard]] PassResult spread_pad_axes(Model model);
/// Drops nodes, initializers and value infos that no graph output depends on.
[[nodiscard]] PassResult remove_dead_nodes(Model model);
/// Operators as a DPU computes them: changes the function.
[[nodiscard]] PassResult dpu_conversions(Model model, const DpuOptions& options);
/// split_shared_biases() with notes.
[[nodiscard]] PassResult split_biases(Model model);

}  // namespace quantsearch
