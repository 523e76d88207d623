#pragma once

// The configuration of one quantization, as commands take it: a file, a preset, a target.

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "quantsearch/media.h"
#include "quantsearch/model/fixed_inputs.h"
#include "quantsearch/pipeline/settings.h"

namespace quantsearch::cli {

struct ConfigurationText {
  std::string file;
  std::string preset;
  std::string target;
  std::string preprocess;
};

/// Adds --config, --preset, --target and --preprocess. `text` must outlive the command.
void add_configuration_options(CLI::App& command, ConfigurationText& text);

struct Configuration {
  Settings settings;
  FixedInputs fixed_inputs = {};  // those of the file and, over them, those of the command line
  std::optional<Preprocess> preprocess = {};
  Value provenance = {};  // of the file; null when there is none
};
/// `stage` begins the messages.
[[nodiscard]] Configuration configuration_of(const ConfigurationText& text,
                                             const FixedInputs& fixed, const std::string& stage);

}  // namespace quantsearch::cli
