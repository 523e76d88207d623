#pragma once

// The order of the stages, which is defined only here: Pipeline::build() runs the stages, and
// stage_keys() lists their keys without running them.

#include <memory>
#include <string_view>
#include <vector>

#include "quantsearch/pipeline/pipeline.h"
#include "quantsearch/transform.h"

namespace quantsearch {

/// The progress of a build: the keys of the inputs of the next stage, and the artefacts, which are
/// null when only keys are computed.
struct Progress {
  QuantizationConfig config;
  Key data;
  Key model;                     // of the float model so far
  Key statistics = {};           // of the last observation
  std::vector<Key> ranges = {};  // one for each activation type
  Key precision = {};            // of the choice of formats
  Key quantized = {};            // of the model so far

  std::shared_ptr<const Simplified> simplified = nullptr;
  std::shared_ptr<const Model> float_model = nullptr;
  CalibrationResult calibrated = {};
  std::shared_ptr<const PrecisionResult> chosen = nullptr;
  Candidate candidate = {};
};

class StageRunner;

struct Stage {
  std::string_view name;
  /// Null when the stage is part of every configuration.
  bool (*is_on)(const QuantizationConfig& config);
  /// Returns the keys of the artefacts that the stage makes: one, except for the ranges.
  std::vector<Key> (*keys)(const Progress& progress);
  /// Sets the keys that the following stages read to those of this stage.
  void (*advance)(Progress& progress, const std::vector<Key>& keys);
  /// Makes the artefacts or takes them from the cache, and advances unless nothing has changed.
  /// Null when the stages that read the artefact make it on demand.
  void (*run)(StageRunner& runner, Progress& progress, const std::vector<Key>& keys);
};

/// Returns the stages in order.
[[nodiscard]] const std::vector<Stage>& chain();

}  // namespace quantsearch
