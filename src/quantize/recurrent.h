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

/// A weight [directions, 4 * hidden, inputs] as DynamicQuantizeLSTM takes it: uint8
/// [directions, inputs, 4 * hidden] with one scale for each direction and row of the gates, in
/// `params.scales` one after the other.
[[nodiscard]] QuantizedTensor quantize_recurrent(const Tensor& weight);

}  // namespace quantsearch
