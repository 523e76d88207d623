#pragma once

// The parts of a model whose noise is measured one by one: layers of the main graph, which formats
// leave float, and nodes with bodies and quantized LSTMs, which exclusion by name leaves float.

#include <string>
#include <vector>

#include "precision/layers.h"
#include "quantsearch/precision/sensitivity.h"

namespace quantsearch {

struct NoiseSource {
  Layer layer;
  bool has_formats = true;  // false: it stays float when its node is excluded by name
  std::string pattern;
  std::int64_t bytes_saved = 0;
};

/// The sources of which `quantized`, the result of quantize() for the same options, quantizes any
/// node, in the order of the graph.
[[nodiscard]] std::vector<NoiseSource> find_noise_sources(const Model& model,
                                                          const QuantizeOptions& quantization,
                                                          const QuantizedModel& quantized,
                                                          const std::vector<std::string>& op_types);

/// The options under which only `source` of these sources is quantized.
[[nodiscard]] QuantizeOptions quantizing_only(QuantizeOptions quantization,
                                              const std::vector<NoiseSource>& sources,
                                              std::size_t source);
/// The options under which all sources but this one are quantized.
[[nodiscard]] QuantizeOptions leaving_float(QuantizeOptions quantization,
                                            const NoiseSource& source);

/// The formats that give the source 16 bits; see LayerSensitivity::wide_formats.
[[nodiscard]] std::map<std::string, NodeFormat> wide_formats(const NoiseSource& source,
                                                             const QuantizeOptions& quantization);

}  // namespace quantsearch
