#pragma once

// Graph rewrites that keep the function of the model and are done before statistics are taken. Each
// pass is a free function of the model; the runner times it, records what it did and why a
// candidate was left alone, and can disable it by name. A tensor that remains keeps its name,
// because users name tensors and nodes in exclusion lists.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "quantsearch/base/log.h"
#include "quantsearch/model.h"

namespace quantsearch {

/// Conversions of operators that a DPU does not have exactly to those that it computes instead
/// (docs/algorithms/npu.md). Each changes the function of the model.
struct DpuOptions {
  bool leaky_relu = false;               // slope a multiple of 1/256
  bool sigmoid_to_hard_sigmoid = false;  // Sigmoid -> HardSigmoid
  bool hard_sigmoid = false;             // alpha 2731 / 2^14
  bool average_pool = false;             // division by k / 2^n
  bool reduce_mean = false;
  bool clip = false;  // bounds are integers
  bool operator==(const DpuOptions&) const = default;
};

struct SimplifyOptions {
  bool fold_constants = true;
  bool fold_batch_norm = true;
  bool fp16_to_fp32 = false;  // float16 weights and tensors become float32; inputs and outputs too
  bool reduce_mean_to_global_pool = true;  // ReduceMean over the spatial axes of a rank-4 tensor
  bool div_to_mul = true;  // Div by a constant -> Mul by its reciprocal: exact for powers of two,
                           // else within 1.5 units in the last place of float32
  bool gather_hard_swish = true;  // clip(x + 3, 0, 6) / 6 -> HardSigmoid, x times that -> HardSwish
  // Models of older opsets are raised to this one, because per-channel DequantizeLinear needs it.
  std::int64_t minimum_opset = 13;
  std::optional<std::int64_t> opset = {};  // requested by the user (ConvertOpsetVersion)
  std::set<std::string> disabled = {};     // pass names to leave out
  DpuOptions dpu = {};
};

struct PassRecord {
  std::string name;
  double seconds = 0;
  std::int64_t nodes_before = 0;
  std::int64_t nodes_after = 0;
  std::vector<std::string> notes = {};  // what was done, or why a candidate was left alone
  bool changes_function = false;        // on the user's request; the notes say what was changed
};

/// The tensor that replaces a removed one. Its values are the same, or they are the output of the
/// node that produced the removed tensor and has taken over further operations.
struct TensorNow {
  std::string name;
  bool has_same_values = true;
  bool operator==(const TensorNow&) const = default;
};

/// Names of the model as it was read that the simplified model no longer has. Users know their own
/// model, so names in their lists are looked up here, too.
struct NamesAsRead {
  /// By removed node, the node_label() of the node that now computes its result; nullopt when none
  /// does: a constant that was computed, a copy that was bypassed, a result that nothing reads.
  std::map<std::string, std::optional<std::string>, std::less<>> nodes = {};
  /// By removed tensor; nullopt when nothing is left of it.
  std::map<std::string, std::optional<TensorNow>, std::less<>> tensors = {};
  /// By bypassed node (Identity, Dropout), the tensor that it copied.
  std::map<std::string, std::string, std::less<>> copies = {};
};

/// A constant that was computed from smaller ones. A layer needs it as a constant to be quantized;
/// where the layer stays float, the nodes that compute it take less space in a file.
struct Recipe {
  std::string tensor;
  std::shared_ptr<const Tensor> value;
  std::vector<Node> nodes;           // in topological order; the last one writes `tensor`
  std::vector<Initializer> sources;  // the constants that they read
};

struct Simplified {
  Model model;
  std::vector<PassRecord> passes;
  std::vector<Recipe> recipes = {};
  NamesAsRead names = {};
  std::vector<std::string> notes = {};     // about the model as a whole
  std::vector<std::string> warnings = {};  // notes that the user should look at
};

/// Runs every enabled pass in the fixed order, infers shapes, sorts and checks. A model that only
/// libonnx's shape inference refuses is accepted, with a note, when the runtime loads it. Throws
/// InvalidInput for an unknown name in `disabled` and for a requested opset below `minimum_opset`;
/// Unsupported when the opset cannot be raised and for a requested opset below the model's.
[[nodiscard]] Simplified simplify(Model model, const SimplifyOptions& options = {});
/// Names of the passes in the order in which they run; a pass that runs twice appears twice.
[[nodiscard]] std::vector<std::string> pass_names();

/// Puts the nodes of recipes whose constants `model` still holds back at the front of its graph,
/// unless a name is taken. Returns the number of nodes.
int restore_computed_constants(Model& model, const std::vector<Recipe>& recipes);

/// Gives each reader of a bias initializer of Conv, ConvTranspose and Gemm its own copy, since each
/// needs its own scale.
[[nodiscard]] Model split_shared_biases(Model model);

/// Weights and biases of Conv, ConvTranspose, Gemm and MatMul that hold NaN or infinity ("weight
/// 'fc.w': 3 NaN, 1 infinite"). Other constants may hold them, as masks, bounds and tables do;
/// their readers then stay float.
[[nodiscard]] std::vector<std::string> non_finite_weights(const Model& model);

}  // namespace quantsearch
