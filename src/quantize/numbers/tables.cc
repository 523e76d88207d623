#include "quantize/numbers/tables.h"

#include <vector>

#include "quantize/numbers/layer_scales.h"
#include "quantize/numbers/overrides.h"
#include "quantize/numbers/weight_ranges.h"
#include "quantize/placement/tensor_overrides.h"

namespace quantsearch {

namespace {

struct Task {
  std::string table;
  WeightOptions options;
  const TensorOverride* wanted = nullptr;
};

/// How tables are quantized. Their integers are not multiplied, so zero points cost nothing, and a
/// table with one scale for all rows uses them, because the extremes of an embedding often lie on
/// one side. All values must stay in the range, however rare the largest are. Relative noise of
/// MiniLM from its tables alone with a symmetric / asymmetric grid / a range clipped to the least
/// squared error: .0026 / .0009 / .011; with a symmetric grid and a scale per row: .0002.
WeightOptions table_options(const QuantizeOptions& options, const NodePlan& plan, int axis,
                            const TensorOverride* wanted) {
  QuantizeOptions for_tables = options;
  for_tables.per_channel = options.table_weights == TableWeights::per_row;
  for_tables.reduce_range = false;
  for_tables.weight_symmetric = for_tables.per_channel;
  for_tables.weight_range = WeightRange::min_max;
  return weight_options(for_tables, plan.weight, axis, wanted);
}

QuantizedTensor quantize_table(const Task& task, const Tensor& table) {
  if (task.wanted == nullptr) return quantize_weight(table, task.options);
  const TensorParams params =
      overridden_params(*task.wanted, {.type = task.options.type,
                                       .symmetric = task.options.symmetric,
                                       .reduce_range = false,
                                       .rounding = scale_rounding(task.options),
                                       .axis = -1,
                                       .ranges = find_weight_ranges(table, task.options)});
  return quantize_to_params(table, params);
}

int gathered_axis(const Node& gather, const Tensor& table) {
  const auto axis = static_cast<int>(gather.int_attribute("axis", 0));
  return axis < 0 ? axis + static_cast<int>(table.shape().size()) : axis;
}

/// The integers that exist already: those stored in the model and those of layers.
Tables tables_at_hand(const PlanView& view, const std::map<int, LayerParameters>& layers) {
  Tables known;
  for (const auto& [name, tensor] : view.plan.stored) {
    if (bits_of(tensor->params.type) <= 16) known.emplace(name, tensor);
  }
  for (const auto& [node, layer] : layers) {
    const Node& at = view.node(node);
    const bool is_scaled = at.is("Gemm") && at.float_attribute("alpha", 1) != 1;
    if (!is_scaled) known.emplace(layer.weight, layer.quantized_weight);
  }
  return known;
}

}  // namespace

Tables quantize_tables(const PlanView& view, const std::map<int, LayerParameters>& layers,
                       ThreadPool& pool) {
  const Tables known = tables_at_hand(view, layers);
  Tables tables;
  std::vector<Task> tasks;
  for (int node = 0; node < view.node_count(); ++node) {
    if (!view.planned(node).reads_table) continue;
    const Node& gather = view.node(node);
    const std::string& table = gather.inputs[0];
    const TensorOverride* wanted = find_override(view.options, table);
    const int axis = gathered_axis(gather, *view.index.initializer(table));
    const auto at_hand = known.find(table);
    // Rows with scales of their own are multiplied by a copy of the scales, which would not change
    // when the scales of the layer are changed later.
    const bool is_usable =
        at_hand != known.end() && wanted == nullptr &&
        (view.plan.stored.contains(table) || at_hand->second->params.axis != axis);
    const auto [entry, is_new] = tables.try_emplace(table, is_usable ? at_hand->second : nullptr);
    if (!is_new || entry->second != nullptr) continue;
    tasks.push_back({.table = table,
                     .options = table_options(view.options, view.planned(node), axis, wanted),
                     .wanted = wanted});
  }
  std::vector<std::shared_ptr<const QuantizedTensor>> made(tasks.size());
  pool.parallel_for(std::ssize(tasks), [&](std::int64_t at, int) {
    const Task& task = tasks[static_cast<std::size_t>(at)];
    made[static_cast<std::size_t>(at)] = std::make_shared<const QuantizedTensor>(
        quantize_table(task, *view.index.initializer(task.table)));
  });
  for (std::size_t at = 0; at < tasks.size(); ++at) tables[tasks[at].table] = made[at];
  return tables;
}

}  // namespace quantsearch
