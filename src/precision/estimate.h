#pragma once

// A cheap estimate of every layer's sensitivity to every format from one pass of the float model.

#include <vector>

#include "precision/layers.h"

namespace quantsearch {

/// The noise energy divided by the signal energy, by [layer][format]. If errors are independent,
/// the relative noise of a linear operator's output is about the sum of those of its input and its
/// weights:
///     E|W x - W^ x^|^2 / E|W x|^2 ~ E|x - x^|^2 / E|x|^2 + |W - W^|^2 / |W|^2,
/// where x^ and W^ are the quantized values, clipping included. The operators after it in the layer
/// add the noise of their inputs. The estimate does not include the effect of the noise on the
/// model's outputs, which runs of real models measure.
[[nodiscard]] std::vector<std::vector<double>> estimate_noise(
    const Model& model, const CalibrationResult& calibration, const QuantizeOptions& quantization,
    const std::vector<Layer>& layers, const std::vector<NodeFormat>& formats,
    const DataSource& data, const PrecisionContext& context);

}  // namespace quantsearch
