#pragma once

// Builds the model of one configuration and checks that it runs, which is what the command
// `quantize` does.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/log.h"
#include "quantsearch/base/value.h"
#include "quantsearch/evaluate/delivery_check.h"
#include "quantsearch/pipeline/pipeline.h"
#include "quantsearch/pipeline/runnable.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

struct BuildOptions {
  bool check = true;  // run the model beside the float model before it is returned
  LogSink log = {};   // warnings of the check
  CancellationToken token = {};
};

struct CheckedModel {
  RunnableCandidate made;
  std::optional<DeliveryCheck> check;  // absent when it was not asked for
  std::vector<std::string> warnings;   // of the check
  KernelReport kernels;                // of ONNX Runtime on this machine

  [[nodiscard]] const QuantizedModel& quantized() const { return *made.candidate.quantized; }
};

/// `model` and `calibration` are those of the pipeline. Throws what build_runnable() throws.
[[nodiscard]] CheckedModel build_checked(const Settings& settings, const Model& model,
                                         const DataSource& calibration, Pipeline& pipeline,
                                         const BuildOptions& options = {});

/// What a configuration leaves to try.
[[nodiscard]] OpenRemedies open_remedies(const QuantizationConfig& config);

/// A mapping that describes the model: the configuration that builds it again, sizes, kernels,
/// check, seconds of the stages, and what was done to each layer.
[[nodiscard]] Value describe(const CheckedModel& checked, const Settings& settings,
                             const Model& float_model);

/// One mapping for each layer: node, op_type, quantized, reason.
[[nodiscard]] Value layers_value(const std::vector<LayerRecord>& layers);

}  // namespace quantsearch
