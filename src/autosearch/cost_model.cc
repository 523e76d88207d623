#include "autosearch/cost_model.h"

#include "quantsearch/pipeline/pipeline.h"
#include "quantsearch/trials/executor.h"

namespace quantsearch {

namespace {

// Guesses of the seconds of a trial relative to uint8 activations; only their order was thought
// through, none is measured: int8 tensors with several readers and all 16-bit tensors run in float
// between conversions.
double type_factor(const Settings& settings) {
  const std::string type = effective_value("activation_type", settings).as_string();
  if (type == "QUInt8") return 1;
  return type == "QInt8" ? 2 : 2.5;
}

/// The same for what fine-tuning adds: a closed form costs a few forwards of the data, iterations a
/// hundredth each.
double finetune_factor(const QuantizationConfig& config) {
  if (!config.finetune) return 0;
  switch (config.finetune->algorithm) {
    case FinetuneAlgorithm::none:
      return 2;
    case FinetuneAlgorithm::gptq:
      return 4;
    case FinetuneAlgorithm::adaround:
    case FinetuneAlgorithm::adaquant:
      return 4 +
             static_cast<double>(config.finetune->iterations * config.finetune->batch_size) / 100;
  }
  return 0;
}

}  // namespace

TrialCosts::TrialCosts(Settings base, double seconds, Key model, Key data)
    : base_(std::move(base)), seconds_(seconds), model_(model), data_(data) {}

Expected TrialCosts::expected(const Point& point) const {
  const Settings settings = settings_of(base_, point);
  const QuantizationConfig config = resolve(settings);
  std::vector<Key> keys = stage_keys(model_, data_, config);
  keys.pop_back();  // the last stage is the trial's own
  return {.seconds = seconds_ * (type_factor(settings) + finetune_factor(config)),
          .prefix = std::move(keys)};
}

}  // namespace quantsearch
