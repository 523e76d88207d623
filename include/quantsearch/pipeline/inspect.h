#pragma once

// What a model contains, what would be quantized, and what prevents it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/base/value.h"
#include "quantsearch/model.h"
#include "quantsearch/pipeline/settings.h"
#include "quantsearch/quantize.h"
#include "quantsearch/quantize/quantized_already.h"
#include "quantsearch/transform.h"

namespace quantsearch {

struct Inspection {
  Model model;
  Simplified simplified = {};  // empty for a model whose activations are already quantized
  std::vector<LayerRecord> layers = {};
  std::vector<std::string> notes = {};  // names in the configuration that simplification changed
  QuantizedAlready quantized = {};
  std::optional<KernelReport> kernels = {};  // only for such a model
};

/// Throws what simplify() and optimized_model() throw.
[[nodiscard]] Inspection inspect(Model model, const QuantizationConfig& config);
[[nodiscard]] std::int64_t parameter_count(const Graph& graph);
/// The same as a mapping, for JSON output.
[[nodiscard]] Value to_value(const Inspection& inspection);

}  // namespace quantsearch
