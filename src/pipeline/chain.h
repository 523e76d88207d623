#pragma once

// The order of the stages, written once: Pipeline::build() runs it, and stage_keys() lists its keys
// without running anything.

#include <memory>
#include <string_view>
#include <vector>

#include "quantsearch/pipeline/pipeline.h"
#include "quantsearch/transform.h"

namespace quantsearch {

/// How far a build has come: keys of what the next stage reads, and the artefacts, which are null
/// where only keys are asked for.
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
  /// Null: every configuration has it.
  bool (*is_on)(const QuantizationConfig& config);
  /// Of what it makes: one, but for the ranges.
  std::vector<Key> (*keys)(const Progress& progress);
  /// What follows reads what this stage makes.
  void (*advance)(Progress& progress, const std::vector<Key>& keys);
  /// Makes the artefacts or takes them from the cache, and advances, unless nothing has changed.
  /// Null: a stage that reads the artefact makes it when it is needed.
  void (*run)(StageRunner& runner, Progress& progress, const std::vector<Key>& keys);
};

/// In their order.
[[nodiscard]] const std::vector<Stage>& chain();

}  // namespace quantsearch
