#include "quantsearch/pipeline/settings.h"

#include <fmt/core.h>

#include <algorithm>

#include "pipeline/option_table.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"

namespace quantsearch {

namespace options {

const std::vector<Option>& table() {
  static const std::vector<Option> kRows = [] {
    std::vector<Option> made;
    add_range_options(made);
    add_npu_options(made);    // before the options whose defaults it sets
    add_target_option(made);  // after the option that sets its default
    add_type_options(made);
    add_storage_options(made);
    add_override_options(made);
    add_scope_options(made);
    add_format_options(made);
    add_precision_options(made);
    add_graph_options(made);
    add_equalize_options(made);
    add_finetune_options(made);
    return made;
  }();
  return kRows;
}

const Option* find(const std::string& name) {
  static const std::map<std::string, const Option*> kByName = [] {
    std::map<std::string, const Option*> made;
    for (const Option& row : table()) made[row.name] = &row;
    return made;
  }();
  const auto found = kByName.find(name);
  return found == kByName.end() ? nullptr : found->second;
}

}  // namespace options

namespace {

using options::find;
using options::find_foreign;
using options::Foreign;
using options::Option;

const std::string kExtra = "extra_options.";

std::vector<std::string> known_names() {
  std::vector<std::string> names = {"preset"};
  for (const Option& row : options::table()) names.push_back(row.name);
  for (const Foreign& row : options::foreign_table()) names.push_back(row.name);
  return names;
}

const Option& built(const std::string& name) {
  const Option* option = find(name);
  if (option == nullptr) throw InternalError(fmt::format("option '{}' is not in the table", name));
  return *option;
}

Value foreign_value(const Foreign& foreign, const Value& value) {
  const bool accepted = foreign.accepted.empty() ||
                        std::ranges::find(foreign.accepted, value) != foreign.accepted.end();
  if (!accepted) {
    throw Unsupported(fmt::format("configuration: '{}: {}' is refused: {}; leave it out or give {}",
                                  foreign.name, to_json(value), foreign.reason,
                                  to_json(foreign.accepted.front())));
  }
  return value;
}

/// Nested groups of extra_options whose members are options.
const std::vector<std::string> kGroups = {"AutoMixprecision", "FastFinetune"};  // of extra_options

void flatten(const Value& mapping, const std::string& prefix, Settings& settings) {
  for (const auto& [key, value] : mapping.as_map()) {
    const std::string name = option_name(prefix + key);
    if (is_option_group(name)) {
      if (!value.is_null()) flatten(value, name + ".", settings);
    } else if (name != "preset") {
      settings[name] = canonical_value(name, value);
    }
  }
}

}  // namespace

bool is_option_group(const std::string& name) {
  const auto is_it = [&](const std::string& group) { return name == kExtra + group; };
  return name == "extra_options" || std::ranges::any_of(kGroups, is_it);
}

std::vector<OptionInfo> all_options() {
  std::vector<OptionInfo> infos;
  for (const Option& row : options::table()) {
    infos.push_back({.name = row.name, .meaning = row.meaning, .default_value = row.default_value});
  }
  return infos;
}

std::string option_name(const std::string& written) {
  static const std::map<std::string, std::string> kAliases = {
      {kExtra + "OpTypesToQuantize", "op_types_to_quantize"},
      {kExtra + "ExtraOpTypesToQuantize", "extra_op_types_to_quantize"},
      {kExtra + "NodesToQuantize", "nodes_to_quantize"},
      {kExtra + "NodesToExclude", "nodes_to_exclude"},
      {kExtra + "InputNodes", "input_nodes"},
      {kExtra + "OutputNodes", "output_nodes"}};
  const std::string other_spelling = kExtra + "AutoMixPrecision";
  if (written.starts_with(other_spelling))
    return kExtra + "AutoMixprecision" + written.substr(other_spelling.size());
  const auto found = kAliases.find(written);
  return found == kAliases.end() ? written : found->second;
}

void require_option(const std::string& option) {
  if (find(option) == nullptr && find_foreign(option) == nullptr) {
    throw InvalidInput("configuration: " + unknown_name_message("key", option, known_names()));
  }
}

bool is_list_option(const std::string& option) {
  const Option* row = find(option);
  return row != nullptr && row->is_list;
}

Value canonical_value(const std::string& option, const Value& value) {
  require_option(option);
  if (const Foreign* foreign = find_foreign(option)) return foreign_value(*foreign, value);
  try {
    return built(option).canonical(value);
  } catch (const InvalidInput& error) {
    throw InvalidInput(fmt::format("configuration: '{}': {}", option, error.what()));
  } catch (const Unsupported& error) {
    throw Unsupported(fmt::format("configuration: '{}': {}", option, error.what()));
  }
}

Value effective_value(const std::string& option, const Settings& settings) {
  const auto found = settings.find(option);
  return found != settings.end() ? found->second : built(option).default_value;
}

bool has_effect(const std::string& option, const Settings& settings) {
  const Option* row = find(option);
  return row != nullptr && (!row->matters || row->matters(settings));
}

Settings with_target(std::optional<Settings> settings, const std::string& target) {
  const Value name = canonical_value("target", target);
  if (!settings) settings = settings_from(name == Value("npu-cnn") ? Value("XINT8") : Value());
  const auto given = settings->find("target");
  if (given != settings->end() && !given->second.is_null() && given->second != name) {
    throw InvalidInput(fmt::format(
        "configuration: 'target' is {} and in 'quantization_config' {}, expected it once",
        to_json(name), to_json(given->second)));
  }
  (*settings)["target"] = name;
  return *std::move(settings);
}

Settings settings_from(const Value& config) {
  if (config.is_null()) return settings_from(Value(kDefaultPreset));
  if (!config.is_string() && !config.is_map()) {
    throw InvalidInput(fmt::format(
        "configuration: got a {}, expected the name of a preset or a mapping of options",
        config.kind()));
  }
  const Value* preset = config.is_string() ? &config : config.find("preset");
  Settings settings;
  if (preset != nullptr || config.is_null()) {
    const auto presets = all_presets();
    const auto found = std::ranges::find(presets, preset->as_string(), &PresetInfo::name);
    if (found == presets.end()) {
      std::vector<std::string> names;
      for (const PresetInfo& info : presets) names.push_back(info.name);
      throw InvalidInput("configuration: " +
                         unknown_name_message("preset", preset->as_string(), names));
    }
    if (found->refused) {
      throw Unsupported(
          fmt::format("configuration: preset '{}' is refused: {}", found->name, *found->refused));
    }
    settings = found->settings;
  }
  if (!config.is_string()) flatten(config, "", settings);
  return settings;
}

std::optional<std::string> contradiction(const Settings& settings,
                                         std::optional<std::int64_t> samples) {
  const std::string method = effective_value("calibrate_method", settings).as_string();
  const std::string weights = effective_value("weight_type", settings).as_string();
  const bool power_of_two = method.starts_with("PowerOfTwoMethod.");
  const bool reduced = effective_value("reduce_range", settings).as_bool();
  if (reduced && weights != "QInt8" && weights != "QUInt8")
    return "reduce_range needs 8-bit weights";
  if (power_of_two && effective_value("per_channel", settings).as_bool()) {
    return "power-of-two methods need per-tensor weights (per_channel: false)";
  }
  if (power_of_two && reduced) return "power-of-two methods do not combine with reduce_range";
  if (power_of_two &&
      effective_value("extra_options.WeightCalibrateMethod", settings) == Value("Percentile")) {
    return "power-of-two methods do not combine with WeightCalibrateMethod Percentile";
  }
  const bool npu = effective_value("enable_npu_cnn", settings).as_bool();
  const Value int32_bias = effective_value("extra_options.Int32Bias", settings);
  if (effective_value("extra_options.Int16Bias", settings).as_bool() &&
      (int32_bias.is_null() ? npu : !int32_bias.as_bool())) {
    return "Int16Bias narrows int32 biases, so it needs Int32Bias";
  }
  if (npu && !power_of_two) return "enable_npu_cnn needs a power-of-two method";
  if (npu && !(effective_value("extra_options.ActivationSymmetric", settings).as_bool() &&
               effective_value("extra_options.WeightSymmetric", settings).as_bool())) {
    return "enable_npu_cnn needs symmetric activations and weights";
  }
  if (npu && weights != "QInt8") return "enable_npu_cnn needs weight_type QInt8";
  const std::string choose_scales = "extra_options.FastFinetune.ChooseScales";
  if (npu && has_effect(choose_scales, settings) &&
      effective_value(choose_scales, settings) == Value(true)) {
    return "enable_npu_cnn settles the scales that ChooseScales would choose";
  }
  if (auto reason = options::target_contradiction(settings)) return reason;
  if (samples && options::batch_exceeds(settings, *samples))
    return "BatchSize of FastFinetune is larger than the number of samples it reads";
  return options::precision_contradiction(settings);
}

QuantizationConfig resolve(const Settings& settings) {
  if (const auto reason = contradiction(settings)) throw InvalidInput("configuration: " + *reason);
  QuantizationConfig config;
  for (const Option& row : options::table()) {
    if (has_effect(row.name, settings)) row.apply(config, effective_value(row.name, settings));
  }
  options::finish_precision(config, settings);
  return config;
}

Settings with_node_formats(Settings settings, const std::map<std::string, NodeFormat>& formats) {
  std::erase_if(settings, [](const auto& entry) {
    return entry.first == "include_auto_mp" ||
           entry.first.starts_with(kExtra + "AutoMixprecision.");
  });
  settings["node_formats"] = options::node_formats_value(formats);
  return settings;
}

Value to_value(const Settings& settings) {
  Value top(Value::Map{});
  Value extra(Value::Map{});
  std::map<std::string, Value> groups;
  for (const auto& [name, value] : settings) {
    const std::size_t dot = name.rfind('.');
    const std::string parent = dot == std::string::npos ? "" : name.substr(0, dot);
    if (parent.empty()) {
      top.set(name, value);
    } else if (is_option_group(parent) && parent != "extra_options") {
      groups[parent.substr(kExtra.size())].set(name.substr(dot + 1), value);
    } else {
      extra.set(name.substr(kExtra.size()), value);
    }
  }
  for (const auto& [group, members] : groups) extra.set(group, members);
  if (!extra.as_map().empty()) top.set("extra_options", extra);
  return top;
}

}  // namespace quantsearch
