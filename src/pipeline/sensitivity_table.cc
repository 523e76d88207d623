#include "quantsearch/pipeline/sensitivity_table.h"

#include <map>
#include <set>

#include "quantsearch/internal/quantize/option_keys.h"
#include "quantsearch/pipeline/settings.h"

namespace quantsearch {

namespace {

Value names_value(const std::vector<std::string>& names) {
  return Value::List(names.begin(), names.end());
}

template <typename Row>
void set_numbers(Value& value, const Row& row) {
  value.set("added_noise", row.added_noise);
  value.set("removed_noise", row.removed_noise);
  value.set("bytes_saved", row.bytes_saved);
  if (row.milliseconds_saved) value.set("ms_saved", *row.milliseconds_saved);
}

}  // namespace

void add_times(SensitivityReport& report, const Graph& graph,
               const std::vector<KernelCost>& kernels) {
  constexpr double kMilliseconds = 1000;
  std::map<std::string, std::size_t> kernel_of_node;
  for (std::size_t kernel = 0; kernel < kernels.size(); ++kernel) {
    for (const int node : kernels[kernel].nodes)
      kernel_of_node.emplace(node_label(graph, node), kernel);
  }
  std::set<std::size_t> counted;
  for (LayerSensitivity& layer : report.layers) {
    double saved = 0;
    for (const std::string& node : layer.members) {
      const auto found = kernel_of_node.find(node);
      if (found == kernel_of_node.end() || !counted.insert(found->second).second) continue;
      const KernelCost& kernel = kernels[found->second];
      saved += kMilliseconds * kernel.float_seconds - kMilliseconds * kernel.quantized_seconds;
    }
    layer.milliseconds_saved = saved;
  }
  report.patterns = patterns_of(report.layers);
}

SensitivityRemedies remedies_of(const SensitivityReport& report, std::size_t most) {
  SensitivityRemedies remedies{.layers = worst_layers(report, most)};
  Value::List excluded;
  std::map<std::string, NodeFormat> formats;
  double named = 0;
  for (std::size_t at = 0; at < remedies.layers; ++at) {
    const LayerSensitivity& layer = report.layers[at];
    named += layer.added_noise;
    excluded.insert(excluded.end(), layer.members.begin(), layer.members.end());
    formats.insert(layer.wide_formats.begin(), layer.wide_formats.end());
  }
  const double total = sum_of(report.layers).added_noise;
  if (total > 0) remedies.share = named / total;
  remedies.nodes_to_exclude = std::move(excluded);
  remedies.node_formats = with_node_formats({}, formats).at(std::string(keys::kNodeFormats));
  return remedies;
}

Value sensitivity_value(const SensitivityReport& report, std::size_t most) {
  Value::List layers;
  for (const LayerSensitivity& layer : report.layers) {
    Value row = Value::Map{{"node", layer.node},
                           {"op_type", layer.op_type},
                           {"kind", layer.pattern},
                           {"members", names_value(layer.members)}};
    set_numbers(row, layer);
    layers.push_back(std::move(row));
  }
  Value::List patterns;
  for (const PatternSensitivity& pattern : report.patterns) {
    Value row = Value::Map{{"kind", pattern.pattern}, {"layers", pattern.layers}};
    set_numbers(row, pattern);
    patterns.push_back(std::move(row));
  }
  Value total(Value::Map{});
  set_numbers(total, sum_of(report.layers));
  const SensitivityRemedies remedies = remedies_of(report, most);
  return Value::Map{{"samples", report.samples},
                    {"quantized_rel_l2", report.quantized_noise},
                    {"models", report.models},
                    {"share_run", report.share_run},
                    {"kept_bytes", report.kept_bytes},
                    {"layers", layers},
                    {"kinds", patterns},
                    {"total", total},
                    {"worst_layers", static_cast<std::int64_t>(remedies.layers)},
                    {std::string(keys::kExcludedNodes), remedies.nodes_to_exclude},
                    {std::string(keys::kNodeFormats), remedies.node_formats}};
}

}  // namespace quantsearch
