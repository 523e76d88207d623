#pragma once

// Quantization of a model whose If, Loop and Scan nodes hold graphs: each body is a model of its
// own, quantized like the main graph with what it reads from outside as inputs and constants.

#include <functional>

#include "quantsearch/quantize.h"

namespace quantsearch {

/// Quantizes the nodes of one graph and leaves bodies as they are.
using QuantizeGraph =
    std::function<QuantizedModel(const Model& model, const QuantizeOptions& options)>;

/// Applies `quantize_graph` to every body, the innermost first, then to the main graph, each with
/// the options that name something in it. Records and tensors of bodies follow those of the main
/// graph. `ranges`, when not null, tell which bodies no calibration sample runs: those stay float.
[[nodiscard]] QuantizedModel quantize_with_bodies(const Model& model,
                                                  const QuantizeOptions& options,
                                                  const Ranges* ranges,
                                                  const QuantizeGraph& quantize_graph);

}  // namespace quantsearch
