#pragma once

// Quantizes an LSTM's weights for DynamicQuantizeLSTM.

#include "quantsearch/quantize.h"

namespace quantsearch {

/// Converts a weight [directions, 4 * hidden, inputs] to the form that DynamicQuantizeLSTM reads:
/// uint8 [directions, inputs, 4 * hidden] with one scale for each direction and row of the gates.
/// `params.scales` is [directions * 4 * hidden].
[[nodiscard]] QuantizedTensor quantize_recurrent(const Tensor& weight);

}  // namespace quantsearch
