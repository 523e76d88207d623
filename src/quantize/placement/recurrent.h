#pragma once

// LSTM with 8-bit weights becomes DynamicQuantizeLSTM of ONNX Runtime, which quantizes its
// activations in each run. There is no such operator for GRU and RNN.

#include <string>

#include "quantsearch/quantize.h"

namespace quantsearch {

/// True for LSTM, GRU and RNN.
[[nodiscard]] bool is_recurrent(const Node& node);

/// The reason why the weights of a recurrent node stay float under `options`; "" when they do not.
[[nodiscard]] std::string why_not_dynamic(const Node& node, const GraphIndex& index,
                                          const QuantizeOptions& options);

}  // namespace quantsearch
