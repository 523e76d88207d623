#pragma once

// Assigns the times of the kernels of one profile to units and to conversions.

#include <map>
#include <string>
#include <vector>

#include "placement/units.h"

namespace quantsearch {

struct ConversionTime {
  double quantize = 0;  // seconds
  double dequantize = 0;
  bool operator==(const ConversionTime&) const = default;
};

struct Ledger {
  std::vector<double> units;                      // seconds, by unit
  std::map<std::string, ConversionTime> tensors;  // by tensor of the float model
};

/// Of the float model. A kernel of the runtime's own (a change of layout) counts for the kernel
/// before it.
[[nodiscard]] Ledger float_ledger(const Units& units, const std::vector<KernelTime>& kernels);

/// Of a quantized model: `written` is its graph, whose profile with traceable names is `kernels`.
[[nodiscard]] Ledger quantized_ledger(const Graph& float_graph, const Units& units,
                                      const Graph& written, const std::vector<KernelTime>& kernels);

}  // namespace quantsearch
