#pragma once

// The command line as plain values, read from the parser itself: what shell completions and the
// manual page are made of, so that neither can differ from what the command takes.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace quantsearch::cli {

struct OptionText {
  /// What is typed after the option.
  enum class Argument { none, word, number, text, path };
  std::vector<std::string> names;  // "-h", "--help"; of a positional: its name alone
  std::string group;               // heading under which help shows it
  std::string help;
  Argument argument = Argument::none;
  std::vector<std::string> words = {};  // the values that Argument::word has
  bool is_positional = false;
  bool is_required = false;
};

struct CommandText {
  std::string name;
  std::string summary;
  std::string footer;
  std::vector<OptionText> options = {};  // without hidden ones
};

struct ProgramText {
  CommandText program;  // options that stand before a command
  std::vector<CommandText> commands;
};

[[nodiscard]] ProgramText describe(const CLI::App& app);

/// Returns the part of a help text that says what an option is, without what follows a semicolon,
/// a colon or a parenthesis.
[[nodiscard]] std::string short_help(const std::string& help);

/// The values that an option of this name takes, empty where they are not a fixed list.
[[nodiscard]] std::vector<std::string> words_of(const std::string& option);

}  // namespace quantsearch::cli
