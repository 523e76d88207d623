#pragma once

// Graph rewrites that keep the function: what has to be done before statistics are taken. Each pass
// is a free function of the model; the runner times it, records what it did and why a candidate was
// left alone, and can switch it off by name. A tensor that survives keeps its name: users write
// exclusion lists.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "quantsearch/base/log.h"
#include "quantsearch/model.h"

namespace quantsearch {

/// What a DPU computes in place of operators it does not have exactly (docs/algorithms/npu.md).
/// Each changes the function of the model.
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
  // Raised to this when the model is older: per-channel DequantizeLinear needs it.
  std::int64_t minimum_opset = 13;
  std::optional<std::int64_t> opset = {};  // asked for by the user (ConvertOpsetVersion)
  std::set<std::string> disabled = {};     // pass names to leave out
  DpuOptions dpu = {};
};

struct PassRecord {
  std::string name;
  double seconds = 0;
  std::int64_t nodes_before = 0;
  std::int64_t nodes_after = 0;
  std::vector<std::string> notes = {};  // what was done, or why a candidate was left alone
  bool changes_function = false;        // as the user asked: its notes say what became of the model
};

/// Where the values of a tensor that is gone are now: unchanged, or only as the input of what the
/// node that made the tensor took over.
struct TensorNow {
  std::string name;
  bool has_same_values = true;
  bool operator==(const TensorNow&) const = default;
};

/// Names of the model as read that the simplified model no longer has. Users know their own model,
/// so lists of names are looked up here, too.
struct NamesAsRead {
  /// The node, as node_label(), that computes what this node computed; absent when none does: a
  /// constant that was computed, a copy that was bypassed, a result that nothing reads.
  std::map<std::string, std::optional<std::string>, std::less<>> nodes = {};
  /// Absent when nothing is left of the tensor.
  std::map<std::string, std::optional<TensorNow>, std::less<>> tensors = {};
  /// What a bypassed node (Identity, Dropout) passed on, under its own name.
  std::map<std::string, std::string, std::less<>> copies = {};
};

struct Simplified {
  Model model;
  std::vector<PassRecord> passes;
  NamesAsRead names = {};
  std::vector<std::string> notes = {};     // about the model as a whole
  std::vector<std::string> warnings = {};  // the same, but the user should look at them
};

/// Runs every enabled pass in its fixed order, infers shapes, sorts and checks. A model that only
/// libonnx's shape inference refuses is taken, with a note, when the runtime loads it. Throws
/// InvalidInput for an unknown name in `disabled`, Unsupported when the opset cannot be raised;
/// InvalidInput when the opset asked for is below `minimum_opset`, Unsupported when it is below the
/// model's.
[[nodiscard]] Simplified simplify(Model model, const SimplifyOptions& options = {});
/// Names of the passes in the order they run; one that runs twice is there twice.
[[nodiscard]] std::vector<std::string> pass_names();

/// Gives each reader of a bias initializer of Conv, ConvTranspose and Gemm its own copy, since each
/// needs its own scale.
[[nodiscard]] Model split_shared_biases(Model model);

/// Weights and biases of Conv, ConvTranspose, Gemm and MatMul that hold NaN or infinity ("weight
/// 'fc.w': 3 NaN, 1 infinite"). Other constants may: masks, bounds and tables do, and keep their
/// readers float.
[[nodiscard]] std::vector<std::string> non_finite_weights(const Model& model);

}  // namespace quantsearch
