#include "completions.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <string_view>

#include "quantsearch/base/error.h"

namespace quantsearch::cli {

namespace {

using Argument = OptionText::Argument;

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

/// All names of the options that are no positionals.
std::vector<std::string> option_names(const CommandText& command) {
  std::vector<std::string> names;
  for (const OptionText& option : command.options) {
    if (!option.is_positional) names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}

std::vector<std::string> command_names(const ProgramText& text) {
  std::vector<std::string> names;
  for (const CommandText& command : text.commands) names.push_back(command.name);
  return names;
}

// --- bash ---

constexpr std::string_view kBashStart =
    R"(# bash completion for quantsearch, made by `quantsearch --completions bash`.

_quantsearch() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= word words=
  # bash makes a word of the sign in --option=value.
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD-2]}
  fi
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      )";
constexpr std::string_view kBashEnd = R"(  esac
  if [[ $current == -* || -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}
complete -o filenames -F _quantsearch quantsearch
)";

/// The branches for what follows an option, or the positional of a command that has fixed words.
std::string bash_arguments(const CommandText& command, const std::string& name) {
  std::string branches;
  for (const OptionText& option : command.options) {
    if (option.argument == Argument::none) continue;
    std::vector<std::string> before;
    for (const std::string& each : option.names)
      before.push_back(name + ":" + (option.is_positional ? name : each));
    const std::string pattern = fmt::format("{}", fmt::join(before, "|"));
    if (option.argument == Argument::word) {
      branches += fmt::format(
          "    {}) mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$current\"); return ;;\n", pattern,
          fmt::join(option.words, " "));
    } else if (option.argument != Argument::path) {
      branches += fmt::format("    {}) return ;;\n", pattern);
    } else if (!option.is_positional) {
      branches += fmt::format(
          "    {}) mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); return ;;\n", pattern);
    }
  }
  return branches;
}

std::string bash(const ProgramText& text) {
  const std::vector<std::string> commands = command_names(text);
  std::string script(kBashStart);
  script +=
      fmt::format("{}) command=$word; break ;;\n    esac\n  done\n", fmt::join(commands, "|"));
  script += "  case $command:$previous in\n" + bash_arguments(text.program, "");
  for (const CommandText& command : text.commands) script += bash_arguments(command, command.name);
  script += "  esac\n  case $command in\n";
  script += fmt::format("    '') words='{} {}' ;;\n", fmt::join(commands, " "),
                        fmt::join(option_names(text.program), " "));
  for (const CommandText& command : text.commands)
    script +=
        fmt::format("    {}) words='{}' ;;\n", command.name, fmt::join(option_names(command), " "));
  return script + std::string(kBashEnd);
}

// --- zsh ---

/// `text` inside single quotes and the brackets of _arguments.
std::string in_zsh(const std::string& text) {
  std::string quoted = replaced(text, "\\", "\\\\");
  for (const char* const sign : {"[", "]", ":"})
    quoted = replaced(quoted, sign, "\\" + std::string(sign));
  return replaced(quoted, "'", "'\\''");
}

std::string zsh_argument(const OptionText& option) {
  switch (option.argument) {
    case Argument::none:
      return "";
    case Argument::word:
      return fmt::format(":value:({})", fmt::join(option.words, " "));
    case Argument::number:
      return ":number: ";
    case Argument::text:
      return ":text: ";
    case Argument::path:
      return ":file:_files";
  }
  throw InternalError("completions: an argument of no kind");
}

std::string zsh_options(const CommandText& command, std::string_view indent) {
  std::string lines;
  for (const OptionText& option : command.options) {
    if (option.is_positional) {
      lines += fmt::format(" \\\n{}':{}{}'", indent, in_zsh(option.names[0]),
                           zsh_argument(option).substr(zsh_argument(option).find(':', 1)));
      continue;
    }
    for (const std::string& name : option.names)
      lines += fmt::format(" \\\n{}'*{}[{}]{}'", indent, name, in_zsh(short_help(option.help)),
                           zsh_argument(option));
  }
  return lines;
}

constexpr std::string_view kZshStart = R"(#compdef quantsearch
# zsh completion for quantsearch, made by `quantsearch --completions zsh`.

_quantsearch() {
  local state
  local -a commands=(
)";
// The file is read by zsh's own function loader, or sourced.
constexpr std::string_view kZshEnd = R"(      esac ;;
  esac
}

if [ "$funcstack[1]" = _quantsearch ]; then
  _quantsearch "$@"
else
  compdef _quantsearch quantsearch
fi
)";

std::string zsh(const ProgramText& text) {
  std::string script(kZshStart);
  for (const CommandText& command : text.commands)
    script += fmt::format("    '{}:{}'\n", command.name, in_zsh(command.summary));
  script += "  )\n  _arguments -C" + zsh_options(text.program, "    ") +
            " \\\n    '1:command:->command' \\\n    '*::argument:->argument'\n"
            "  case $state in\n    command) _describe command commands ;;\n    argument)\n"
            "      case $words[1] in\n";
  for (const CommandText& command : text.commands)
    script += fmt::format("        {})\n          _arguments{} ;;\n", command.name,
                          zsh_options(command, "            "));
  return script + std::string(kZshEnd);
}

// --- fish ---

std::string in_fish(const std::string& text) {
  return "'" + replaced(replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
}

std::string fish_argument(const OptionText& option) {
  switch (option.argument) {
    case Argument::none:
      return "";
    case Argument::word:
      return fmt::format(" -x -a '{}'", fmt::join(option.words, " "));
    case Argument::number:
    case Argument::text:
      return " -x";
    case Argument::path:
      return " -r -F";
  }
  throw InternalError("completions: an argument of no kind");
}

std::string fish_options(const CommandText& command, const std::string& condition) {
  std::string lines;
  for (const OptionText& option : command.options) {
    if (option.is_positional) {
      if (option.argument == Argument::word)
        lines += fmt::format("complete -c quantsearch -n '{}' -f -a '{}'\n", condition,
                             fmt::join(option.words, " "));
      continue;
    }
    std::string names;
    for (const std::string& name : option.names)
      names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    lines += fmt::format("complete -c quantsearch -n '{}'{}{} -d {}\n", condition, names,
                         fish_argument(option), in_fish(short_help(option.help)));
  }
  return lines;
}

std::string fish(const ProgramText& text) {
  const std::string first = "__fish_use_subcommand";
  std::string script =
      "# fish completion for quantsearch, made by `quantsearch --completions fish`.\n\n";
  script += fmt::format("complete -c quantsearch -n {} -f\n", first);
  script += fish_options(text.program, first);
  for (const CommandText& command : text.commands)
    script += fmt::format("complete -c quantsearch -n {} -a {} -d {}\n", first, command.name,
                          in_fish(command.summary));
  for (const CommandText& command : text.commands)
    script += fish_options(command, "__fish_seen_subcommand_from " + command.name);
  return script;
}

}  // namespace

std::string completions(const ProgramText& text, const std::string& shell) {
  if (shell == "bash") return bash(text);
  if (shell == "zsh") return zsh(text);
  if (shell == "fish") return fish(text);
  throw InvalidInput(
      fmt::format("--completions: got the shell '{}', expected bash, zsh or fish", shell));
}

}  // namespace quantsearch::cli
