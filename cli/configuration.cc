#include "configuration.h"

#include <optional>
#include <utility>

#include "common.h"
#include "help.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/value.h"

namespace quantsearch::cli {

void add_configuration_options(CLI::App& command, ConfigurationText& text) {
  command
      .add_option("--config", text.file,
                  "Configuration file, of which quantization_config, target and fixed_inputs are "
                  "used")
      ->option_text("FILE")
      ->group(kQuantizationGroup);
  command.add_option("--preset", text.preset, "Named configuration (quantsearch presets)")
      ->option_text("NAME")
      ->default_str(std::string(kDefaultPreset))
      ->group(kQuantizationGroup);
  add_target_option(command, text.target);
  add_preprocess_option(command, text.preprocess);
}

Configuration configuration_of(const ConfigurationText& text, const FixedInputs& fixed,
                               const std::string& stage) {
  if (!text.file.empty() && !text.preset.empty()) {
    throw InvalidInput(
        stage +
        ": got both --config and --preset, expected one; a configuration file may name a "
        "preset itself");
  }
  Configuration configuration;
  std::optional<Settings> settings;
  if (!text.preset.empty()) settings = settings_from(Value(text.preset));
  if (!text.file.empty()) {
    AutoSearchConfig file = parse_search_config(load_config_file(text.file));
    settings = std::move(file.base);
    configuration.fixed_inputs = std::move(file.fixed_inputs);
    configuration.preprocess = std::move(file.preprocess);
    configuration.provenance = std::move(file.provenance);
  }
  for (const auto& [name, value] : fixed) configuration.fixed_inputs[name] = value;
  configuration.preprocess = preprocess_of(text.preprocess, std::move(configuration.preprocess));
  if (!text.target.empty()) {
    configuration.settings = for_target(text.target, std::move(settings));
  } else {
    configuration.settings = settings ? *settings : settings_from(Value());
  }
  return configuration;
}

}  // namespace quantsearch::cli
