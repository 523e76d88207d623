#include "pipeline/artefact_bytes.h"
#include "pipeline/stage_runner.h"

namespace quantsearch {

/// Builds the model without chosen formats. Mixed precision makes its own models.
void StageRunner::quantize(Progress& progress, const Key& key) {
  progress.quantized = key;
  if (progress.config.precision) return;
  const auto compute = [&] {
    require_quantizable(*progress.float_model, progress.config.quantize);
    return quantsearch::quantize(*progress.float_model, progress.calibrated,
                                 progress.config.quantize, pool_);
  };
  progress.candidate.quantized = state_.cache.get<QuantizedModel>(
      "quantize", key, compute, [](const QuantizedModel& made) { return bytes_of(made.model); },
      records_, token_);
}

}  // namespace quantsearch
