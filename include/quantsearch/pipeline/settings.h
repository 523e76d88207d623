#pragma once

// The options of a quantization as users write them (with the names of AMD Quark). Each is declared
// once, with its name, meaning, default, allowed values, the condition under which it has an
// effect, and the field of QuantizationConfig that it sets. The configuration file, the search
// space, presets and documentation all read this table.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quantsearch/base/value.h"
#include "quantsearch/calibrate.h"
#include "quantsearch/equalize.h"
#include "quantsearch/finetune.h"
#include "quantsearch/precision.h"
#include "quantsearch/quantize.h"
#include "quantsearch/transform.h"

namespace quantsearch {

/// The configuration of one quantization: one options struct for each stage.
struct QuantizationConfig {
  bool requantize = false;  // quantize the float part of a model that is already quantized
  SimplifyOptions simplify;
  std::optional<EqualizeOptions> equalize;          // include_cle
  std::optional<SmoothOptions> smooth;              // include_sq
  std::optional<std::int64_t> calibration_samples;  // the first N; absent: all
  int histogram_bins = 2048;                        // per side
  RangeOptions ranges;
  QuantizeOptions quantize;
  std::optional<PrecisionOptions> precision = {};  // absent: no mixed precision
  std::optional<FinetuneOptions> finetune;
};

/// Flat option names ("extra_options.Percentile") with canonical values.
using Settings = std::map<std::string, Value>;

struct OptionInfo {
  std::string name;
  std::string meaning;
  Value default_value;
};
/// Returns every option that is implemented, in the order of the documentation.
[[nodiscard]] std::vector<OptionInfo> all_options();

/// Flattens a `quantization_config` mapping ({preset, calibrate_method, …, extra_options: {…}}) or
/// the name of a preset into settings; null means the default preset. Throws InvalidInput for an
/// unknown key or value, naming the nearest known one, and Unsupported for a known one that is not
/// implemented.
[[nodiscard]] Settings settings_from(const Value& config);
/// Returns `settings` for a target ("cpu", "cpu-vnni" or "npu-cnn"); when they are absent, those of
/// the target's default preset. Throws InvalidInput for another name, and when the settings name
/// another target.
[[nodiscard]] Settings with_target(std::optional<Settings> settings, const std::string& target);
/// Returns the value of one option in canonical form ("MinMSE" -> "PowerOfTwoMethod.MinMSE").
/// Throws as settings_from() does, naming the option.
[[nodiscard]] Value canonical_value(const std::string& option, const Value& value);
/// Returns the same value for all canonical values with equal effect: at most as many samples as
/// there are, and lists sorted without repetition. `samples`: the number of calibration samples, if
/// known.
[[nodiscard]] Value settled_value(const std::string& option, const Value& value,
                                  std::optional<std::int64_t> samples = std::nullopt);
/// Returns the settings with which no stage reads more than the first `samples` calibration
/// samples, whatever it reads by default.
[[nodiscard]] Settings with_at_most(Settings settings, std::int64_t samples);
/// True when the value of the option is itself a list, so that a search space needs a list of
/// lists.
[[nodiscard]] bool is_list_option(const std::string& option);
/// Returns the canonical name of an option that has two names: Quark's "extra_options.InputNodes"
/// is "input_nodes".
[[nodiscard]] std::string option_name(const std::string& written);
/// True for the names of mappings that hold options: "extra_options" and the groups in it.
[[nodiscard]] bool is_option_group(const std::string& name);
/// Throws InvalidInput or Unsupported when `option` is not an option.
void require_option(const std::string& option);

/// True when `option` has an effect in a configuration with these settings.
[[nodiscard]] bool has_effect(const std::string& option, const Settings& settings);
/// Returns the value of the option in `settings`, or its default.
[[nodiscard]] Value effective_value(const std::string& option, const Settings& settings);
/// Returns why these settings contradict each other or the number of calibration samples, if known;
/// nullopt when they do not. The text is short and the same for equal causes, so that it can be
/// counted.
[[nodiscard]] std::optional<std::string> contradiction(
    const Settings& settings, std::optional<std::int64_t> samples = std::nullopt);

/// Returns the configuration that the settings describe. Throws InvalidInput with the contradiction
/// when there is one.
[[nodiscard]] QuantizationConfig resolve(const Settings& settings);
/// Returns the nested mapping from which settings_from() makes these settings.
[[nodiscard]] Value to_value(const Settings& settings);

/// Returns settings that build a mixed-precision model again without choosing formats: its formats
/// replace the search for them.
[[nodiscard]] Settings with_node_formats(Settings settings,
                                         const std::map<std::string, NodeFormat>& formats);

struct PresetInfo {
  std::string name;
  std::string meaning;
  std::optional<std::string> refused;  // why it is not supported
  Settings settings;
};
[[nodiscard]] std::span<const PresetInfo> all_presets();
/// The configuration that runs fastest on ONNX Runtime's CPU provider at 8 bits. It is the default
/// of `quantize`.
inline constexpr std::string_view kDefaultPreset = "U8S8_CPU";

}  // namespace quantsearch
