#include "quantsearch/finetune.h"

#include "pipeline/artefact_bytes.h"
#include "pipeline/stage_keys.h"
#include "pipeline/stage_runner.h"

namespace quantsearch {

std::shared_ptr<const FloatActivations> StageRunner::activations(
    const Progress& progress, const std::vector<std::string>& tensors, std::int64_t samples,
    const FinetuneEnvironment& environment) {
  const auto compute = [&] {
    return float_activations(*progress.float_model, *state_.calibration, tensors, samples,
                             environment);
  };
  return state_.cache.get<FloatActivations>(
      "activations", activations_key(progress.model, progress.data, tensors, samples), compute,
      [](const FloatActivations& made) { return bytes_of(made); }, records_, token_);
}

std::shared_ptr<const FinetunedModel> StageRunner::finetuned(const Progress& progress,
                                                             const QuantizedModel& quantized,
                                                             const Key& key) {
  const auto compute = [&] {
    FinetuneEnvironment environment = {.pool = pool_,
                                       .budget = state_.budget,
                                       .cache_folder = state_.cache_folder,
                                       .token = token_,
                                       .log = state_.log};
    environment.activations = [&](const std::vector<std::string>& tensors, std::int64_t samples) {
      return activations(progress, tensors, samples, environment);
    };
    return quantsearch::finetune(quantized, *progress.float_model, *state_.calibration,
                                 *progress.config.finetune, environment);
  };
  return state_.cache.get<FinetunedModel>(
      "finetune", key, compute,
      [](const FinetunedModel& made) { return bytes_of(made.quantized.model); }, records_, token_);
}

void StageRunner::finetune(Progress& progress, const Key& key) {
  const auto tuned = finetuned(progress, *progress.candidate.quantized, key);
  progress.quantized = key;
  progress.candidate.quantized = {tuned, &tuned->quantized};
  progress.candidate.reconstruction = tuned->layers;
}

}  // namespace quantsearch
