#include "quantsearch/precision.h"

#include "pipeline/artefact_bytes.h"
#include "pipeline/stage_keys.h"
#include "pipeline/stage_runner.h"

namespace quantsearch {

namespace {

std::int64_t bytes_of_result(const PrecisionResult& made) { return bytes_of(made.quantized.model); }

}  // namespace

void StageRunner::take_formats(Progress& progress, std::shared_ptr<const PrecisionResult> chosen) {
  progress.quantized = mixed_key(progress.precision, chosen->quantized.model);
  progress.candidate.quantized = {chosen, &chosen->quantized};
  progress.candidate.precision = chosen->layers;
  progress.candidate.node_formats = chosen->node_formats;
  progress.chosen = std::move(chosen);
}

void StageRunner::precision(Progress& progress, const Key& key) {
  const auto compute = [&] {
    return choose_precision(*progress.float_model, progress.calibrated, progress.config.quantize,
                            state_.calibration, *progress.config.precision,
                            {.pool = pool_,
                             .budget = state_.budget,
                             .spill_folder = state_.cache_folder,
                             .token = token_,
                             .log = state_.log});
  };
  progress.precision = key;
  take_formats(progress, state_.cache.get<PrecisionResult>("precision", key, compute,
                                                           bytes_of_result, records_, token_));
}

/// Every model that is reconstructed in the process, including the final one, is an artefact of the
/// finetune stage.
void StageRunner::finish_precision(Progress& progress, const Key& key) {
  const FinishModel finish =
      [&](const QuantizedModel& quantized) -> std::shared_ptr<const QuantizedModel> {
    const Key tuned_key = finetune_key(mixed_key(progress.precision, quantized.model),
                                       progress.data, *progress.config.finetune);
    const auto tuned = finetuned(progress, quantized, tuned_key);
    return {tuned, &tuned->quantized};
  };
  const auto compute = [&] {
    return quantsearch::finish_precision(*progress.float_model, progress.calibrated,
                                         progress.config.quantize, state_.calibration,
                                         *progress.config.precision, *progress.chosen, finish,
                                         {.pool = pool_,
                                          .budget = state_.budget,
                                          .spill_folder = state_.cache_folder,
                                          .token = token_,
                                          .log = state_.log});
  };
  take_formats(progress, state_.cache.get<PrecisionResult>("finish_precision", key, compute,
                                                           bytes_of_result, records_, token_));
}

}  // namespace quantsearch
