#include "autosearch/cost_model.h"

#include <fmt/core.h>

#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {

namespace {

// Guesses of the seconds of a trial relative to uint8 activations; only their order was thought through, none is measured:
// int8 tensors with several readers and all 16-bit tensors run in float between conversions.
double type_factor(const Settings& settings) {
  const std::string type = effective_value("activation_type", settings).as_string();
  if (type == "QUInt8") return 1;
  return type == "QInt8" ? 2 : 2.5;
}

/// The same for what fine-tuning adds: a closed form costs a few forwards of the data, iterations a hundredth each.
double finetune_factor(const QuantizationConfig& config) {
  if (!config.finetune) return 0;
  switch (config.finetune->algorithm) {
    case FinetuneAlgorithm::none:
      return 2;
    case FinetuneAlgorithm::gptq:
      return 4;
    case FinetuneAlgorithm::adaround:
    case FinetuneAlgorithm::adaquant:
      return 4 + static_cast<double>(config.finetune->iterations * config.finetune->batch_size) / 100;
  }
  return 0;
}

std::string finetune_kind(const QuantizationConfig& config) {
  if (!config.finetune) return "";
  const FinetuneOptions& options = *config.finetune;
  return fmt::format(" {} {}x{}", to_string(options.algorithm), options.iterations, options.batch_size);
}

}  // namespace

TrialCosts::TrialCosts(Settings base, double seconds, Key model, Key data)
    : base_(std::move(base)), seconds_(seconds), model_(model), data_(data) {}

std::string TrialCosts::kind_of(const Settings& settings) const {
  return effective_value("activation_type", settings).as_string() + " " +
         effective_value("calibrate_method", settings).as_string() + " " +
         (effective_value("extra_options.ActivationSymmetric", settings).as_bool() ? "symmetric" : "asymmetric") +
         finetune_kind(resolve(settings));
}

double TrialCosts::guess(const Settings& settings, const QuantizationConfig& config) const {
  return seconds_ * (type_factor(settings) + finetune_factor(config));
}

Expected TrialCosts::expected(const Point& point) const {
  const Settings settings = settings_of(base_, point);
  const auto known = kinds_.find(kind_of(settings));
  const QuantizationConfig config = resolve(settings);
  double seconds = guess(settings, config);
  if (known != kinds_.end()) {
    seconds = known->second.sum / known->second.count;
  } else if (measured_over_guess_.count > 0) {
    seconds *= measured_over_guess_.sum / measured_over_guess_.count;
  }
  std::vector<Key> keys = stage_keys(model_, data_, config);
  keys.pop_back();  // the last stage is the trial's own
  return {.seconds = seconds, .prefix = std::move(keys)};
}

void TrialCosts::learn(const Point& point, double seconds) {
  const Settings settings = settings_of(base_, point);
  Mean& mean = kinds_[kind_of(settings)];
  mean.sum += seconds;
  mean.count += 1;
  measured_over_guess_.sum += seconds / guess(settings, resolve(settings));
  measured_over_guess_.count += 1;
}

}  // namespace quantsearch
