// quantsearch presets: shows the named configurations.

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common.h"
#include "help.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"
#include "quantsearch/pipeline/settings.h"
#include "terminal.h"

namespace quantsearch::cli {

namespace {

struct PresetsArguments {
  std::string name;
  bool json = false;
};

void print_list(std::span<const PresetInfo> presets) {
  constexpr std::size_t kNameColumns = 28;
  std::vector<std::pair<std::string, std::string>> refused;  // reason, names
  for (const PresetInfo& preset : presets) {
    if (preset.refused) {
      const auto same = std::ranges::find(refused, *preset.refused,
                                          [](const auto& entry) { return entry.first; });
      if (same == refused.end()) {
        refused.emplace_back(*preset.refused, preset.name);
      } else {
        same->second += ", " + preset.name;
      }
      continue;
    }
    print_wrapped(fmt::format("{:<{}}{}{}", preset.name, kNameColumns, preset.meaning,
                              preset.name == kDefaultPreset ? " (default)" : ""),
                  kNameColumns);
  }
  fmt::print("\nnot built:\n");
  for (const auto& [reason, names] : refused) print_wrapped(fmt::format("{}: {}", names, reason));
}

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
  print_list(presets);
  return kDone;
}

}  // namespace

void add_presets_command(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<PresetsArguments>();
  CLI::App* command =
      app.add_subcommand("presets", "List named quantization configurations, or show one");
  command->add_option("NAME", arguments->name, "Preset to show")
      ->default_str("a list of all")
      ->group(kInputGroup);
  command->add_flag("--json", arguments->json, "Write JSON")->group(kMessageGroup);
  command->callback([arguments, &run] { run = [arguments] { return run_presets(*arguments); }; });
}

}  // namespace quantsearch::cli
