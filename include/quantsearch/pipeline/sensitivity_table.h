#pragma once

// The table "which layers hurt" for people and programs: the command `sensitivity` prints it, and a
// search writes it to results.json.

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "quantsearch/base/value.h"
#include "quantsearch/model.h"
#include "quantsearch/placement.h"
#include "quantsearch/precision/sensitivity.h"

namespace quantsearch {

/// Adds to each layer the time that its operators save on integers. `graph`: the quantized float
/// model, whose kernels were timed. A kernel that several layers share counts for the first of
/// them.
void add_times(SensitivityReport& report, const Graph& graph,
               const std::vector<KernelCost>& kernels);

/// What a user may paste into quantization_config against the noise of the worst layers.
struct SensitivityRemedies {
  std::size_t layers = 0;  // the worst ones, worst_layers()
  double share = 0;        // of the noise that all layers add
  Value nodes_to_exclude = Value::List{};
  Value node_formats = Value::Map{};
};

/// `most`: layers that are named.
[[nodiscard]] SensitivityRemedies remedies_of(const SensitivityReport& report, std::size_t most);

/// The whole report with its sums and remedies as JSON.
[[nodiscard]] Value sensitivity_value(const SensitivityReport& report, std::size_t most);

}  // namespace quantsearch
