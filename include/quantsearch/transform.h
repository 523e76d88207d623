#pragma once

// Graph rewrites that keep the function: what has to be done before statistics are taken. Each pass is a free function
// `Model pass(Model)`; the runner times it, says what it did and can switch it off by name.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "quantsearch/base/log.h"
#include "quantsearch/model.h"

namespace quantsearch {

struct SimplifyOptions {
  bool fold_constants = true;
  bool fold_batch_norm = true;
  bool fp16_to_fp32 = false;            // float16 weights and tensors become float32; inputs and outputs too
  bool reduce_mean_to_global_pool = true;  // ReduceMean over the spatial axes of a rank-4 tensor
  bool div_to_mul = true;               // Div by a constant -> Mul by its reciprocal, where that is exact enough
  std::int64_t minimum_opset = 13;      // raised to this when the model is older: per-channel DequantizeLinear needs it
  std::optional<std::int64_t> opset;    // asked for by the user (ConvertOpsetVersion)
  std::set<std::string> disabled;       // pass names to leave out
};

struct PassRecord {
  std::string name;
  double seconds = 0;
  std::int64_t nodes_before = 0;
  std::int64_t nodes_after = 0;
  std::vector<std::string> notes;  // what was done, or why a candidate was left alone
};

struct Simplified {
  Model model;
  std::vector<PassRecord> passes;
};

/// Runs every enabled pass in its fixed order, infers shapes, sorts and checks. Throws InvalidInput for an unknown name
/// in `disabled`, Unsupported when the opset cannot be raised.
[[nodiscard]] Simplified simplify(Model model, const SimplifyOptions& options = {});
/// Names of the passes in the order they run.
[[nodiscard]] std::vector<std::string> pass_names();

/// Gives each reader of a bias initializer of Conv, ConvTranspose and Gemm its own copy, since each needs its own scale.
[[nodiscard]] Model split_shared_biases(Model model);

/// Names of initializers that hold NaN or infinity ("weight 'fc.w': 3 NaN, 1 infinite").
[[nodiscard]] std::vector<std::string> non_finite_weights(const Model& model);

}  // namespace quantsearch
