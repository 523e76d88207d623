#pragma once

// Where Q/DQ pairs go, decided before any number is known: which nodes work on quantized values and
// which tensors carry a pair. docs/placement.md gives the rules and their reasons.

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
  /// NPUs: the producer whose result it works on before that is quantized: a LeakyRelu behind a
  /// layer, the scaling of a pool.
  std::optional<int> follows;
  bool reads_table = false;   // Gather of a constant that is stored as integers
  bool is_recurrent = false;  // an LSTM whose weights are; it has no rule and is not `quantized`
  DataType activation = DataType::undefined;  // of what it reads, when quantized
  DataType weight = DataType::undefined;
};

/// A tensor that carries a Q/DQ pair.
struct PairPlan {
  /// Every reader takes the value behind the pair: the producer works on integers. Otherwise only
  /// quantized readers do.
  bool for_all_readers = false;
  /// Between a producer and the Relu or Clip that bounds it: written only when the clamp cannot be
  /// folded into the pair behind it, whose parameters it shares.
  std::optional<int> before_clamp;  // index of the clamp
  /// One pair for each, widest first. What is not quantized itself reads the widest.
  std::vector<DataType> types = {};
  /// The type that a reader of type `wanted` gets: what the user fixed for the tensor, else its
  /// own.
  [[nodiscard]] DataType type_for(DataType wanted) const {
    return std::ranges::find(types, wanted) == types.end() ? types.front() : wanted;
  }
};

struct Plan {
  std::vector<NodePlan> nodes;
  std::map<std::string, PairPlan, std::less<>> pairs;  // by tensor
  StoredTensors stored;                                // weights may keep these grids
};

/// Nodes that stay float because of what their ranges turned out to be, and why.
using LeftFloat = std::map<int, std::string>;

/// `graph` is in topological order. Nodes of `left` stay float for the reason given there.
[[nodiscard]] Plan make_plan(const Model& model, const GraphIndex& index,
                             const QuantizeOptions& options, const LeftFloat& left = {});

}  // namespace quantsearch
