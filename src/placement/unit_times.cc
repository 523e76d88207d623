#include "placement/ledger.h"
#include "placement/traceable_names.h"
#include "placement/units.h"
#include "quantsearch/internal/runtime/kernel_times.h"
#include "quantsearch/placement.h"

namespace quantsearch {

std::vector<UnitTime> unit_times(const Model& simplified, const QuantizedModel& quantized,
                                 const Batch& sample, const UnitTimeOptions& options) {
  constexpr double kMilliseconds = 1000;
  const auto profile = [&](const Model& model) {
    return kernel_times(
        with_traceable_names(model), sample,
        {.threads = options.threads, .seconds = options.seconds, .token = options.token});
  };
  const Graph& graph = simplified.graph;
  const std::vector<KernelTime> kernels = profile(simplified);
  const Units units = find_units(graph, kernels, quantized.layers);
  const Ledger on_float = float_ledger(units, kernels);
  const Ledger on_integers =
      quantized_ledger(graph, units, quantized.model.graph, profile(quantized.model));
  std::vector<UnitTime> times;
  for (std::size_t unit = 0; unit < units.units.size(); ++unit) {
    UnitTime& time = times.emplace_back();
    for (const int node : units.units[unit].nodes) time.nodes.push_back(node_label(graph, node));
    time.float_ms = kMilliseconds * on_float.units[unit];
    time.integer_ms = kMilliseconds * on_integers.units[unit];
  }
  return times;
}

}  // namespace quantsearch
