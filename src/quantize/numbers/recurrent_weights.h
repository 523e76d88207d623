#pragma once

// The integers of an LSTM's weights, as DynamicQuantizeLSTM reads them.

#include "quantsearch/quantize.h"

namespace quantsearch {

/// A weight [directions, 4 * hidden, inputs] as DynamicQuantizeLSTM takes it: uint8
/// [directions, inputs, 4 * hidden] with one scale for each direction and row of the gates, in
/// `params.scales` one after the other.
[[nodiscard]] QuantizedTensor quantize_recurrent(const Tensor& weight);

}  // namespace quantsearch
