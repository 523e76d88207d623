#pragma once

// LSTM with weights of 8 bits: DynamicQuantizeLSTM of ONNX Runtime, which quantizes what it
// multiplies in each run. There is no such operator for GRU and RNN.

#include <string>

#include "quantsearch/quantize.h"

namespace quantsearch {

/// LSTM, GRU or RNN.
[[nodiscard]] bool is_recurrent(const Node& node);

/// Why the weights of a recurrent node stay float under `options`; "" when they do not.
[[nodiscard]] std::string why_not_dynamic(const Node& node, const GraphIndex& index,
                                          const QuantizeOptions& options);

}  // namespace quantsearch
