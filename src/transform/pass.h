#pragma once

// The passes. Each maps a model to a model of the same function, with notes on what it did and what
// it left alone. simplify.cc defines their order.

#include <cstdint>
#include <string>
#include <vector>

#include "quantsearch/model.h"
#include "quantsearch/transform.h"

namespace quantsearch {

struct PassResult {
  Model model;
  std::vector<std::string> notes;
  std::vector<Recipe> recipes = {};  // of computed constants
};

/// The IR version from which an initializer need not be a graph input. Older models list all
/// weights there.
inline constexpr std::int64_t kIrVersionOfFreeInitializers = 4;

/// Functions that the model defines are written out where they are called.
[[nodiscard]] PassResult expand_functions(Model model);
/// Converts ai.onnx to `version`; leaves newer models alone.
[[nodiscard]] PassResult raise_opset(Model model, std::int64_t version);
/// Initializers that are also graph inputs (defaults a caller may override) become plain constants.
[[nodiscard]] PassResult plain_initializers(Model model);
/// Constant nodes of the main graph become initializers of the same name.
[[nodiscard]] PassResult constants_to_initializers(Model model);
/// Every float16 tensor, attribute, input and output becomes float32, subgraphs included.
[[nodiscard]] PassResult fp16_to_fp32(Model model);
/// Removes Identity, Dropout in inference and Cast to the type that a tensor already has.
[[nodiscard]] PassResult remove_identities(Model model);
/// FusedMatMul, FusedConv and FusedGemm of com.microsoft are split into the operators that were
/// fused.
[[nodiscard]] PassResult split_fused_layers(Model model);
/// Attention of com.microsoft becomes MatMul, Add, Split and MultiHeadAttention.
[[nodiscard]] PassResult split_attention(Model model);
/// Einsum of two operands that is a matrix product becomes MatMul.
[[nodiscard]] PassResult einsum_to_matmul(Model model);
/// Sum becomes a chain of Adds.
[[nodiscard]] PassResult sum_to_add(Model model);
/// Transpose, Reshape and similar operators after the DequantizeLinear of a stored tensor are
/// applied to its integers instead.
[[nodiscard]] PassResult dequantize_last(Model model);
/// Addends of Conv, ConvTranspose and Gemm that are not one constant per channel become an Add.
[[nodiscard]] PassResult split_addends(Model model);
/// Computes nodes whose inputs are all constant, and Shape and Size of tensors of known shape.
[[nodiscard]] PassResult fold_constants(Model model);
/// An If whose condition is a constant becomes the branch that is taken; with `folds`, conditions
/// that thereby become computable are folded, too.
[[nodiscard]] PassResult inline_constant_ifs(Model model, bool folds);
/// Div by a constant becomes Mul by its reciprocal.
[[nodiscard]] PassResult div_to_mul(Model model);
/// HardSigmoid and HardSwish that are written in parts become one operator.
[[nodiscard]] PassResult gather_hard_swish(Model model);
/// Mul and Add by one constant per channel directly after Conv, ConvTranspose or Gemm are folded
/// into its weight and bias.
[[nodiscard]] PassResult fold_channel_constants(Model model);
/// BatchNormalization directly after Conv, ConvTranspose, Gemm, MatMul or MatMul + Add is folded
/// into the layer's constants.
[[nodiscard]] PassResult fold_batch_norm(Model model);
/// ReduceMean over the two spatial axes of a rank-4 tensor becomes GlobalAveragePool.
[[nodiscard]] PassResult reduce_mean_to_global_pool(Model model);
/// Flatten becomes Reshape where the sizes it needs are known.
[[nodiscard]] PassResult flatten_to_reshape(Model model);
/// Pad with constant `axes` becomes Pad with amounts for every axis.
[[nodiscard]] PassResult spread_pad_axes(Model model);
/// Removes nodes, initializers and value infos that no graph output depends on.
[[nodiscard]] PassResult remove_dead_nodes(Model model);
/// Replaces operators by those that a DPU computes. This pass changes the function of the model.
[[nodiscard]] PassResult dpu_conversions(Model model, const DpuOptions& options);
/// split_shared_biases() with notes.
[[nodiscard]] PassResult split_biases(Model model);

}  // namespace quantsearch
