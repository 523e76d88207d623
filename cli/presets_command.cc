// quantsearch presets: shows the named configurations.

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "common.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"
#include "quantsearch/pipeline/settings.h"

namespace quantsearch::cli {

namespace {

struct PresetsArguments {
  std::string name;
  bool json = false;
};

int run_presets(const PresetsArguments& arguments) {
  const auto presets = all_presets();
  if (!arguments.name.empty()) {
    const Value value = to_value(settings_from(Value(arguments.name)));
    fmt::print("{}\n", arguments.json ? to_json(value, 1) : to_yaml(value));
    return kDone;
  }
  if (arguments.json) {
    Value all(Value::Map{});
    for (const PresetInfo& preset : presets) {
      all.set(preset.name,
              preset.refused
                  ? Value(Value::Map{{"refused", *preset.refused}})
                  : Value(Value::Map{{"meaning", preset.meaning},
                                     {"quantization_config", to_value(preset.settings)}}));
    }
    fmt::print("{}\n", to_json(all, 1));
    return kDone;
  }
  for (const PresetInfo& preset : presets) {
    if (!preset.refused)
      fmt::print("{:<28}{}{}\n", preset.name, preset.meaning,
                 preset.name == kDefaultPreset ? " (default)" : "");
  }
  fmt::print("\nnot built:\n");
  for (const PresetInfo& preset : presets) {
    if (preset.refused) fmt::print("{:<28}{}\n", preset.name, *preset.refused);
  }
  return kDone;
}

}  // namespace

void add_presets_command(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<PresetsArguments>();
  CLI::App* command =
      app.add_subcommand("presets", "List named quantization configurations, or show one");
  command->add_option("NAME", arguments->name, "Preset to show");
  command->add_flag("--json", arguments->json, "As JSON");
  command->callback([arguments, &run] { run = [arguments] { return run_presets(*arguments); }; });
}

}  // namespace quantsearch::cli
