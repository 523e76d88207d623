#pragma once

// The parts of a graph that are placed as a whole.

#include <string>
#include <vector>

#include "quantsearch/internal/runtime/kernel_times.h"
#include "quantsearch/model.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// Nodes that the float model computes in one kernel, such as a Conv and its activation.
struct Unit {
  std::vector<int> nodes;       // ascending
  std::string pattern;          // units of one pattern take equally long
  bool can_be_integer = false;  // at least one of the nodes is quantized
  bool operator==(const Unit&) const = default;
};

struct Units {
  std::vector<Unit> units;
  std::vector<int> of_node;  // index into `units`
};

/// `kernels`: of the float model with traceable names. `layers`: one for each node, quantized with
/// nothing excluded.
[[nodiscard]] Units find_units(const Graph& graph, const std::vector<KernelTime>& kernels,
                               const std::vector<LayerRecord>& layers);

}  // namespace quantsearch
