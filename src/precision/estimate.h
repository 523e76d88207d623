#pragma once

// The cheap estimate of every layer's sensitivity to every format: one pass of the float model.

#include <vector>

#include "precision/layers.h"

namespace quantsearch {

/// Noise energy over signal energy, by [layer][format]. A linear operator's output has, for
/// independent errors, about the sum of the relative noises of its input and of its weights:
///     E|W x - W^ x^|^2 / E|W x|^2 ~ E|x - x^|^2 / E|x|^2 + |W - W^|^2 / |W|^2,
/// and the operators behind it in the layer add what reading their inputs costs. x^ is what the
/// format makes of x, clipping included. What the noise does to the model's outputs is not in it:
/// that is what runs of real models are for.
[[nodiscard]] std::vector<std::vector<double>> estimate_noise(
    const Model& model, const CalibrationResult& calibration, const QuantizeOptions& quantization,
    const std::vector<Layer>& layers, const std::vector<NodeFormat>& formats,
    const DataSource& data, const PrecisionContext& context);

}  // namespace quantsearch
