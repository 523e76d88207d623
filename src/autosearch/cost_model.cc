#include "autosearch/cost_model.h"

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

}  // namespace

TrialCosts::TrialCosts(Settings base, double seconds, Key model, Key data)
    : base_(std::move(base)), seconds_(seconds), model_(model), data_(data) {}

std::string TrialCosts::kind_of(const Settings& settings) const {
  return effective_value("activation_type", settings).as_string() + " " +
         effective_value("calibrate_method", settings).as_string() + " " +
         (effective_value("extra_options.ActivationSymmetric", settings).as_bool() ? "symmetric" : "asymmetric");
}

Expected TrialCosts::expected(const Point& point) const {
  const Settings settings = settings_of(base_, point);
  const auto known = kinds_.find(kind_of(settings));
  double seconds = seconds_ * type_factor(settings);
  if (known != kinds_.end()) {
    seconds = known->second.sum / known->second.count;
  } else if (measured_over_guess_.count > 0) {
    seconds *= measured_over_guess_.sum / measured_over_guess_.count;
  }
  std::vector<Key> keys = stage_keys(model_, data_, resolve(settings));
  keys.pop_back();  // the last stage is the trial's own
  return {.seconds = seconds, .prefix = std::move(keys)};
}

void TrialCosts::learn(const Point& point, double seconds) {
  const Settings settings = settings_of(base_, point);
  Mean& mean = kinds_[kind_of(settings)];
  mean.sum += seconds;
  mean.count += 1;
  measured_over_guess_.sum += seconds / (seconds_ * type_factor(settings));
  measured_over_guess_.count += 1;
}

}  // namespace quantsearch
