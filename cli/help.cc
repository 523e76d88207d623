#include "help.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <vector>

#include "quantsearch/internal/report/text.h"
#include "terminal.h"

namespace quantsearch::cli {

namespace {

constexpr std::size_t kIndent = 2;
constexpr std::size_t kNameColumns = 28;  // where descriptions begin

// From what a user must give to what few change.
constexpr std::array<std::string_view, 11> kOrder = {
    kInputGroup,     kQuantizationGroup, "What a good model is",
    "When it stops", "How it searches",  "What is measured",
    kRunGroup,       "Study and output", kOutputGroup,
    kMessageGroup,   kProgramGroup};

/// A name on the left, its description on the right, or below where the name is long.
std::string entry(const std::string& name, const std::string& description, std::size_t width) {
  const std::string left = std::string(kIndent, ' ') + name;
  const Paragraph right{.width = width, .indent = kNameColumns};
  if (columns_of(left) + kIndent > kNameColumns) {
    return left + '\n' +
           wrapped(
               description,
               {.width = width, .indent = kNameColumns, .first = std::string(kNameColumns, ' ')});
  }
  return wrapped(
      description,
      {.width = width, .indent = kNameColumns, .first = fmt::format("{:<{}}", left, kNameColumns)});
}

std::string argument_of(const CLI::Option& option) {
  return option.get_option_text().empty() ? "" : " " + option.get_option_text();
}

/// "-h,--help" -> "-h, --help".
std::string spaced(std::string names) {
  if (const std::size_t comma = names.find(','); comma != std::string::npos)
    names.insert(comma + 1, " ");
  return names;
}

std::string name_of(const CLI::Option& option) {
  return option.get_positional() ? option.get_name(true, false)
                                 : spaced(option.get_name(false, true)) + argument_of(option);
}

std::string description_of(const CLI::Option& option) {
  std::string text = option.get_description();
  if (option.get_required()) text += " (required)";
  if (!option.get_default_str().empty())
    text += fmt::format(" (default: {})", option.get_default_str());
  return text;
}

class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode /*mode*/) const override {
    const std::size_t width = columns_at(STDOUT_FILENO);
    std::string page = wrapped(app->get_description(), {.width = width, .indent = kIndent}) + '\n';
    page += wrapped(usage(*app, name), {.width = width, .indent = kIndent, .first = "Usage: "});
    const std::vector<const CLI::App*> commands = app->get_subcommands({});
    if (!commands.empty()) page += "\nCommands:\n";
    for (const CLI::App* command : commands)
      page += entry(command->get_name(), command->get_description(), width);
    for (const std::string& group : groups_of(*app)) page += group_text(*app, group, width);
    if (!app->get_footer().empty())
      page += '\n' + wrapped(app->get_footer(), {.width = width, .indent = kIndent});
    return page;
  }

 private:
  static std::string usage(const CLI::App& app, const std::string& name) {
    std::string text = name;
    bool has_more = false;
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_group() == kHidden) continue;
      has_more = has_more || !(option->get_positional() || option->get_required());
      if (option->get_positional()) {
        const std::string word = option->get_name(true, false);
        text += ' ' + (option->get_required() ? word : "[" + word + "]");
      } else if (option->get_required()) {
        text += ' ' + option->get_name(false, true) + argument_of(*option);
      }
    }
    if (!app.get_subcommands({}).empty()) return text + " COMMAND ...";
    return has_more ? text + " [OPTIONS]" : text;
  }

  static std::vector<std::string> groups_of(const CLI::App& app) {
    std::vector<std::string> groups = app.get_groups();
    std::erase(groups, kHidden);
    std::ranges::stable_sort(groups, {}, [](const std::string& group) {
      return std::ranges::find(kOrder, group) - kOrder.begin();
    });
    return groups;
  }

  static std::string group_text(const CLI::App& app, const std::string& group, std::size_t width) {
    std::string text = fmt::format("\n{}:\n", group);
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_group() == group)
        text += entry(name_of(*option), description_of(*option), width);
    }
    return text;
  }
};

}  // namespace

std::shared_ptr<CLI::FormatterBase> help_formatter() { return std::make_shared<HelpFormatter>(); }

void warn_of_unused(const CLI::App& app) {
  for (const CLI::App* command : app.get_subcommands()) {
    const CLI::Option* const quiet = command->get_option_no_throw("--quiet");
    if (quiet != nullptr && quiet->count() > 0) continue;
    for (const CLI::Option* option : command->get_options()) {
      if (option->get_group() != kHidden || option->count() == 0 || option == quiet) continue;
      if (option->get_description().empty()) continue;  // for the program's own use
      // A hidden option has no other name.
      print_message(fmt::format("warning: {} does not use --{}", command->get_name(),
                                option->get_lnames().front()));
    }
  }
}

std::string sentence(std::string text) {
  const std::string word = text.substr(0, text.find_first_of(" ,;:"));
  const bool is_word = std::ranges::all_of(
      word, [](char letter) { return std::islower(static_cast<unsigned char>(letter)) != 0; });
  if (is_word && !text.empty())
    text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return text;
}

}  // namespace quantsearch::cli
