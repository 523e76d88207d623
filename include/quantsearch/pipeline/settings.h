#pragma once

// The options of a quantization as users write them (AMD Quark's names), declared once: name,
// meaning, default, allowed values, when it has an effect, and which field of QuantizationConfig it
// sets. The configuration file, the search space, presets and documentation all read this table.

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

/// What one quantization does: one options struct per room.
struct QuantizationConfig {
  bool requantize = false;  // what is left float in a model that is quantized already
  SimplifyOptions simplify;
  std::optional<EqualizeOptions> equalize;          // include_cle
  std::optional<SmoothOptions> smooth;              // include_sq
  std::optional<std::int64_t> calibration_samples;  // the first N; absent: all
  int histogram_bins = 2048;                        // per side
  RangeOptions ranges;
  QuantizeOptions quantize;
  std::optional<PrecisionOptions> precision = {};  // absent: the formats are as given
  std::optional<FinetuneOptions> finetune;
};

/// Flat option names ("extra_options.Percentile") with canonical values.
using Settings = std::map<std::string, Value>;

struct OptionInfo {
  std::string name;
  std::string meaning;
  Value default_value;
};
/// Every option that is built, in the order of the documentation.
[[nodiscard]] std::vector<OptionInfo> all_options();

/// Flattens a `quantization_config` mapping ({preset, calibrate_method, …, extra_options: {…}}) or
/// preset name over the default preset. Throws InvalidInput for an unknown key or value (nearest
/// known shown), Unsupported for what is known but not built.
[[nodiscard]] Settings settings_from(const Value& config);
/// `settings` for a target ("cpu", "cpu-vnni" or "npu-cnn"); absent: the target's default preset.
/// Throws InvalidInput for another name, and when the settings name another target.
[[nodiscard]] Settings with_target(std::optional<Settings> settings, const std::string& target);
/// One option's value in canonical form ("MinMSE" -> "PowerOfTwoMethod.MinMSE"); same errors,
/// naming the option.
[[nodiscard]] Value canonical_value(const std::string& option, const Value& value);
/// The one form of a canonical value among those that do the same: at most as many samples as there
/// are, lists without repetition and in one order. `samples`: of the calibration data, where they
/// are known.
[[nodiscard]] Value settled_value(const std::string& option, const Value& value,
                                  std::optional<std::int64_t> samples = std::nullopt);
/// True when the option's value is itself a list, so that a space needs a list of lists.
[[nodiscard]] bool is_list_option(const std::string& option);
/// The one name of an option that has two: Quark's "extra_options.InputNodes" is "input_nodes".
[[nodiscard]] std::string option_name(const std::string& written);
/// True for the names of mappings that hold options: "extra_options" and the groups in it.
[[nodiscard]] bool is_option_group(const std::string& name);
/// Throws InvalidInput or Unsupported when `option` is not an option.
void require_option(const std::string& option);

/// Whether `option` changes anything in a configuration with these settings.
[[nodiscard]] bool has_effect(const std::string& option, const Settings& settings);
/// The option's value in `settings`, or its default.
[[nodiscard]] Value effective_value(const std::string& option, const Settings& settings);
/// Why these settings exclude each other, or the calibration data, where the number of samples is
/// known: a short countable sentence; nullopt when they do not.
[[nodiscard]] std::optional<std::string> contradiction(
    const Settings& settings, std::optional<std::int64_t> samples = std::nullopt);

/// Throws InvalidInput with the contradiction, when there is one.
[[nodiscard]] QuantizationConfig resolve(const Settings& settings);
/// The nested mapping that settings_from turns into these settings again.
[[nodiscard]] Value to_value(const Settings& settings);

/// The settings that give a mixed-precision model again without choosing: its formats in place of
/// the search for them.
[[nodiscard]] Settings with_node_formats(Settings settings,
                                         const std::map<std::string, NodeFormat>& formats);

struct PresetInfo {
  std::string name;
  std::string meaning;
  std::optional<std::string> refused;  // why it is not built
  Settings settings;
};
[[nodiscard]] std::span<const PresetInfo> all_presets();
/// The configuration that runs fastest on ONNX Runtime's CPU provider at 8 bits: what `quantize`
/// uses by default.
inline constexpr std::string_view kDefaultPreset = "U8S8_CPU";

}  // namespace quantsearch
