#pragma once

// Decoders of models that give boxes, scores and classes in outputs of their own.

#include <memory>

#include "evaluate/tasks/decoders.h"

namespace quantsearch {

/// The keys that all decoders read.
[[nodiscard]] double least_score(const TaskOptions& options);
[[nodiscard]] SuppressionOptions suppression(const TaskOptions& options);
/// How many pixels one unit of a box is: the input's size for 'normalized' boxes, else 1.
[[nodiscard]] PixelSize unit_of(const TaskOptions& options, PixelSize input);

/// SSD heads (Liu et al. 2016, "SSD: Single Shot MultiBox Detector"): boxes [1, n, 4] and scores
/// [1, n, classes], before suppression. With 'priors' the boxes are offsets to them, else they are
/// decoded.
[[nodiscard]] std::unique_ptr<const Decoder> make_ssd_decoder(const TaskOptions& options,
                                                              const Model& model, PixelSize input);
/// Models that suppress boxes themselves: boxes [1, n, 4], scores [1, n] and classes [1, n], with
/// or without the first axis.
[[nodiscard]] std::unique_ptr<const Decoder> make_boxes_decoder(const TaskOptions& options,
                                                                const Model& model,
                                                                PixelSize input);

}  // namespace quantsearch
