#include "autosearch/cost_model.h"

#include "quantsearch/internal/trials/executor.h"
#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {

namespace {

// Estimates of the seconds of a trial relative to uint8 activations. Only their order is justified,
// and none is measured: int8 tensors with several readers and all 16-bit tensors run in float
// between conversions.
double type_factor(const Settings& settings) {
  const std::string type = effective_value("activation_type", settings).as_string();
  if (type == "QUInt8") return 1;
  return type == "QInt8" ? 2 : 2.5;
}

/// The same for fine-tuning: a closed form takes a few forward passes over the data, and each
/// iteration a hundredth of one.
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
  keys.pop_back();  // no other trial shares the last stage
  return {.seconds = seconds_ * (type_factor(settings) + finetune_factor(config)),
          .prefix = std::move(keys)};
}

}  // namespace quantsearch
