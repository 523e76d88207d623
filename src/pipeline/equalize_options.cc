// Options of the methods that move scales between layers before statistics are collected.

#include <fmt/core.h>

#include "pipeline/option_table.h"
#include "quantsearch/base/error.h"

namespace quantsearch::options {

namespace {

bool includes_cle(const Settings& settings) {
  return effective_value("include_cle", settings).as_bool();
}

bool uses_threshold(const Settings& settings) {
  return includes_cle(settings) &&
         effective_value("extra_options.CLEScaleUseThreshold", settings).as_bool();
}

bool takes_several_steps(const Settings& settings) {
  return includes_cle(settings) && effective_value("extra_options.CLESteps", settings) != Value(1);
}

Value sweeps(const Value& value) {
  const std::int64_t number = value.as_int();
  if (number != -1 && (number < 1 || number > 10000)) {
    throw InvalidInput(fmt::format(
        "got {}, expected an integer in [1, 10000], or -1 for as many as it takes", number));
  }
  return number;
}

void add_cle_switches(std::vector<Option>& table) {
  table.push_back(
      {.name = "include_cle",
       .meaning = "cross-layer equalization: like channel sizes in layers that follow one another",
       .default_value = false,
       .canonical = boolean(),
       .apply = [](QuantizationConfig& config, const Value& value) {
         if (value.as_bool()) config.equalize.emplace();
       }});
  table.push_back({.name = "extra_options.CLESteps",
                   .meaning = "sweeps over all chains; -1: until nothing changes any more",
                   .default_value = 1,
                   .canonical = sweeps,
                   .apply =
                       [](QuantizationConfig& config, const Value& value) {
                         const std::int64_t steps = value.as_int();
                         config.equalize->steps =
                             steps < 0 ? std::nullopt : std::optional(static_cast<int>(steps));
                       },
                   .matters = includes_cle});
  table.push_back({.name = "extra_options.CLEBalanceMethod",
                   .meaning = "what is made alike: max, the largest weight of a channel",
                   .default_value = "max",
                   .canonical = one_of({{"max", {}}}),
                   .apply = [](QuantizationConfig&, const Value&) {},
                   .matters = includes_cle});
  table.push_back(
      {.name = "extra_options.ReplaceClip6Relu",
       .meaning =
           "Clip from 0 to 6 becomes Relu before equalization; changes what the model computes",
       .default_value = false,
       .canonical = boolean(),
       .apply = [](QuantizationConfig& config,
                   const Value& value) { config.equalize->replace_clip6 = value.as_bool(); },
       .matters = includes_cle});
}

void add_absorption(std::vector<Option>& table) {
  table.push_back({.name = "extra_options.CLEBiasAbsorption",
                   .meaning = "what all values of a channel before a Relu have in common moves "
                              "into the next bias: none, minimum (of the data), three_sigma",
                   .default_value = "none",
                   .canonical = one_of({{"none", {}}, {"minimum", {}}, {"three_sigma", {}}}),
                   .apply =
                       [](QuantizationConfig& config, const Value& value) {
                         const std::string& name = value.as_string();
                         config.equalize->bias_absorption =
                             name == "minimum"       ? BiasAbsorption::minimum
                             : name == "three_sigma" ? BiasAbsorption::three_sigma
                                                     : BiasAbsorption::none;
                       },
                   .matters = includes_cle});
}

void add_cle_scales(std::vector<Option>& table) {
  table.push_back(
      {.name = "extra_options.CLEScaleAppendBias",
       .meaning = "a share of the bias counts as a weight of its channel",
       .default_value = true,
       .canonical = boolean(),
       .apply = [](QuantizationConfig& config,
                   const Value& value) { config.equalize->append_bias = value.as_bool(); },
       .matters = includes_cle});
  table.push_back(
      {.name = "extra_options.CLEScaleUseThreshold",
       .meaning = "channels of small weights keep their scale",
       .default_value = true,
       .canonical = boolean(),
       .apply = [](QuantizationConfig& config,
                   const Value& value) { config.equalize->use_threshold = value.as_bool(); },
       .matters = includes_cle});
  table.push_back(
      {.name = "extra_options.CLEWeightThreshold",
       .meaning = "a channel keeps its scale when its largest weights in the layers of its chain "
                  "add up to less",
       .default_value = 0.5,
       .canonical = number_above(0, 1e6),
       .apply = [](QuantizationConfig& config,
                   const Value& value) { config.equalize->weight_threshold = value.as_double(); },
       .matters = uses_threshold});
  table.push_back(
      {.name = "extra_options.CLETotalLayerDiffThreshold",
       .meaning = "sweeps end when the sum over layers of the mean change of a weight is no larger",
       .default_value = 1.9e-7,
       .canonical = number_above(0, 1e6),
       .apply = [](QuantizationConfig& config,
                   const Value& value) { config.equalize->total_difference = value.as_double(); },
       .matters = takes_several_steps});
}

Value alpha(const Value& value) {
  if (value.is_string() && value.as_string() == "auto") return value;
  if (value.is_string())
    throw InvalidInput(
        fmt::format("got '{}', expected a number in [0, 1] or 'auto'", value.as_string()));
  const double number = value.as_double();
  if (!(number >= 0 && number <= 1))
    throw InvalidInput(fmt::format("got {}, expected a number in [0, 1] or 'auto'", number));
  return number;
}

void add_smoothing(std::vector<Option>& table) {
  table.push_back({.name = "include_sq",
                   .meaning = "SmoothQuant: the spread of activation channels moves into weights",
                   .default_value = false,
                   .canonical = boolean(),
                   .apply = [](QuantizationConfig& config, const Value& value) {
                     if (value.as_bool())
                       config.smooth =
                           SmoothOptions{.per_channel_weights = config.quantize.per_channel};
                   }});
  table.push_back({.name = "extra_options.SmoothAlpha",
                   .meaning = "how much of the spread moves, from 0 to 1; auto: chosen for each "
                              "tensor, or the tensor is left alone",
                   .default_value = 0.5,
                   .canonical = alpha,
                   .apply =
                       [](QuantizationConfig& config, const Value& value) {
                         config.smooth->alpha =
                             value.is_string() ? std::nullopt : std::optional(value.as_double());
                       },
                   .matters =
                       [](const Settings& settings) {
                         return effective_value("include_sq", settings).as_bool();
                       }});
}

}  // namespace

void add_equalize_options(std::vector<Option>& table) {
  add_cle_switches(table);
  add_cle_scales(table);
  add_absorption(table);
  add_smoothing(table);
}

}  // namespace quantsearch::options
