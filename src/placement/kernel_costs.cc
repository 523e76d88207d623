#include "placement/ledger.h"
#include "placement/traceable_names.h"
#include "placement/units.h"
#include "quantsearch/internal/runtime/kernel_times.h"
#include "quantsearch/placement.h"

namespace quantsearch {

std::vector<KernelCost> kernel_costs(const Model& float_model, const QuantizedModel& quantized,
                                     const Batch& sample, const KernelCostOptions& options) {
  const auto profile = [&](const Model& model) {
    return kernel_times(with_traceable_names(model), sample,
                        {.threads = options.threads,
                         .seconds = options.seconds,
                         .most_runs = options.most_runs,
                         .token = options.token});
  };
  const Graph& graph = float_model.graph;
  const std::vector<KernelTime> float_kernels = profile(float_model);
  const Units units = find_units(graph, float_kernels, quantized.layers);
  const Ledger on_float = float_ledger(units, float_kernels);
  const Ledger as_quantized =
      quantized_ledger(graph, units, quantized.model.graph, profile(quantized.model));
  std::vector<KernelCost> costs;
  for (std::size_t unit = 0; unit < units.units.size(); ++unit) {
    KernelCost& cost =
        costs.emplace_back(KernelCost{.nodes = units.units[unit].nodes,
                                      .float_seconds = on_float.units[unit],
                                      .quantized_seconds = as_quantized.units[unit]});
    for (const int node : cost.nodes) {
      for (const std::string& output : graph.nodes[static_cast<std::size_t>(node)].outputs) {
        const auto found = as_quantized.tensors.find(output);
        if (found == as_quantized.tensors.end()) continue;
        cost.conversion_seconds += found->second.quantize + found->second.dequantize;
      }
    }
  }
  return costs;
}

}  // namespace quantsearch
