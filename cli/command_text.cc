#include "command_text.h"

#include <algorithm>
#include <string_view>

#include "quantsearch/evaluate.h"
#include "quantsearch/pipeline/settings.h"

namespace quantsearch::cli {

namespace {

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const PresetInfo& preset : all_presets()) {
    if (!preset.refused) names.push_back(preset.name);
  }
  return names;
}

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const MetricInfo& metric : all_metrics()) names.push_back(metric.name);
  return names;
}

/// Options whose text is neither one of a list nor a path. One that is missing here is completed
/// with the names of files.
constexpr std::string_view kTextOptions[] = {"--memory",  "--trial-memory", "--fix",   "--study",
                                             "--storage", "--devices",      "--device"};

OptionText::Argument argument_of(const CLI::Option& option, bool has_words) {
  using Argument = OptionText::Argument;
  if (!option.get_positional() && option.get_items_expected_max() == 0) return Argument::none;
  if (has_words) return Argument::word;
  const std::string type = option.get_type_name();
  const bool is_number =
      type.starts_with("INT") || type.starts_with("UINT") || type.starts_with("FLOAT");
  if (is_number) return Argument::number;
  const auto is_name = [&option](std::string_view name) {
    return option.check_name(std::string(name));
  };
  return std::ranges::any_of(kTextOptions, is_name) ? Argument::text : Argument::path;
}

OptionText describe(const CLI::Option& option, const std::string& command) {
  OptionText text{.names = {}, .group = option.get_group(), .help = option.get_description()};
  text.is_positional = option.get_positional();
  text.is_required = option.get_required();
  if (text.is_positional) {
    text.names = {option.get_single_name()};
  } else {
    for (const std::string& name : option.get_snames()) text.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) text.names.push_back("--" + name);
  }
  text.words = words_of(text.is_positional ? command + " " + text.names[0] : text.names.back());
  text.argument = argument_of(option, !text.words.empty());
  return text;
}

CommandText describe_command(const CLI::App& app) {
  CommandText text{
      .name = app.get_name(), .summary = app.get_description(), .footer = app.get_footer()};
  for (const CLI::Option* const option : app.get_options()) {
    if (!option->get_group().empty()) text.options.push_back(describe(*option, text.name));
  }
  return text;
}

}  // namespace

std::vector<std::string> words_of(const std::string& option) {
  if (option == "--target") return {"cpu", "cpu-vnni", "npu-cnn"};
  if (option == "--goal") return {"most_accurate", "fastest", "smallest"};
  if (option == "--algorithm")
    return {"grid_search", "random_search", "TPE",  "CmaEs",     "GPS",
            "NSGAII",      "QMC",           "auto", "escalation"};
  if (option == "--metric") return metric_names();
  if (option == "--preset" || option == "presets NAME") return preset_names();
  if (option == "--completions") return {"bash", "zsh", "fish"};
  return {};
}

std::string short_help(const std::string& help) {
  const std::size_t end = std::min({help.find(';'), help.find(": "), help.find(" (")});
  return help.substr(0, end);
}

ProgramText describe(const CLI::App& app) {
  ProgramText text{.program = describe_command(app), .commands = {}};
  for (const CLI::App* const command : app.get_subcommands({}))
    text.commands.push_back(describe_command(*command));
  return text;
}

}  // namespace quantsearch::cli
