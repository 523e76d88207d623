#pragma once

// Decides which nodes work on quantized values and which tensors carry a Q/DQ pair, before any
// scale is chosen. docs/placement.md gives the rules and their reasons.

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quantize/placement/operators.h"
#include "quantize/placement/stored_constants.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

struct NodePlan {
  const OperatorRule* rule = nullptr;  // null: never quantized
  bool quantized = false;
  std::string reason;                // why it stays float
  std::optional<BiasAdd> bias_add;   // MatMul: the Add that becomes its bias
  std::optional<int> biased_matmul;  // Add: the MatMul whose bias it adds
  /// NPUs: the producer whose result this node changes before the result is quantized (a LeakyRelu
  /// after a layer, the scaling of a pool).
  std::optional<int> follows;
  bool reads_table = false;  // Gather of a constant that is stored as integers
  // An LSTM whose weights are stored as integers; it has no rule and is not `quantized`.
  bool is_recurrent = false;
  DataType activation = DataType::undefined;  // of its data inputs, when quantized
  DataType weight = DataType::undefined;
};

/// A tensor that carries a Q/DQ pair.
struct PairPlan {
  /// True: every reader takes the dequantized value, because the producer works on integers. False:
  /// only quantized readers do.
  bool for_all_readers = false;
  /// Present for a pair between a producer and the Relu or Clip that bounds it. The pair is written
  /// only when the clamp cannot be folded into the pair after the clamp, whose parameters it
  /// shares.
  std::optional<int> before_clamp;  // index of the clamp
  /// One pair for each type, widest first. Readers that are not quantized read the widest.
  std::vector<DataType> types = {};
  /// The type that a reader of type `wanted` reads: the one that the user fixed for the tensor,
  /// else `wanted`.
  [[nodiscard]] DataType type_for(DataType wanted) const {
    return std::ranges::find(types, wanted) == types.end() ? types.front() : wanted;
  }
};

struct Plan {
  std::vector<NodePlan> nodes;
  std::map<std::string, PairPlan, std::less<>> pairs;  // by tensor
  StoredTensors stored;  // constants stored as integers, whose grids weights may keep
};

/// Nodes that stay float because of their ranges, with the reason.
using LeftFloat = std::map<int, std::string>;

/// The graph of `model` is in topological order. Nodes of `left` stay float for the reason given
/// there.
[[nodiscard]] Plan make_plan(const Model& model, const GraphIndex& index,
                             const QuantizeOptions& options, const LeftFloat& left = {});

}  // namespace quantsearch
