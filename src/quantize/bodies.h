#pragma once

// Quantizes a model whose If, Loop and Scan nodes hold graphs. Each body is a model of its own and
// is quantized like the main graph; the outer tensors that it reads are its inputs and constants.

#include <functional>

#include "quantsearch/quantize.h"

namespace quantsearch {

/// Quantizes the nodes of one graph and does not change its bodies.
using QuantizeGraph =
    std::function<QuantizedModel(const Model& model, const QuantizeOptions& options)>;

/// Applies `quantize_graph` to every body, the innermost first, then to the main graph, each with
/// the options that name something in it. Records and tensors of bodies follow those of the main
/// graph. `ranges` may be null; otherwise a body none of whose tensors has a range was run by no
/// calibration sample and stays float.
[[nodiscard]] QuantizedModel quantize_with_bodies(const Model& model,
                                                  const QuantizeOptions& options,
                                                  const Ranges* ranges,
                                                  const QuantizeGraph& quantize_graph);

}  // namespace quantsearch
