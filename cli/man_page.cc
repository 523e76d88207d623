#include "man_page.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <string_view>

#include "common.h"
#include "quantsearch/version.h"

namespace quantsearch::cli {

namespace {

/// `text` with what troff would take for a command or turn into another sign. The lines of a
/// footer stay lines.
std::string in_troff(std::string_view text) {
  std::string out;
  bool starts_line = true;
  for (const char sign : text) {
    if (starts_line && (sign == '.' || sign == '\'')) out += "\\&";
    if (sign == '\\') {
      out += "\\e";
    } else if (sign == '-') {
      out += "\\-";
    } else {
      out += sign;
    }
    starts_line = sign == '\n';
  }
  return out;
}

std::string argument_text(const OptionText& option) {
  switch (option.argument) {
    case OptionText::Argument::none:
      return "";
    case OptionText::Argument::number:
      return " \\fIN\\fR";
    case OptionText::Argument::word:
    case OptionText::Argument::text:
    case OptionText::Argument::path:
      return " \\fIVALUE\\fR";
  }
  return "";
}

std::string entry(const OptionText& option) {
  std::string head;
  for (const std::string& name : option.names)
    head += (head.empty() ? "" : ", ") +
            fmt::format(fmt::runtime(option.is_positional ? "\\fI{}\\fR" : "\\fB{}\\fR"),
                        in_troff(name));
  if (!option.is_positional) head += argument_text(option);
  if (option.is_required) head += " (required)";
  return fmt::format(".TP\n{}\n{}\n", head, in_troff(option.help));
}

/// The options under the headings of the help, positionals first.
std::string entries(const CommandText& command) {
  std::string text;
  for (const OptionText& option : command.options) {
    if (option.is_positional) text += entry(option);
  }
  std::vector<std::string> groups;
  for (const OptionText& option : command.options) {
    if (!option.is_positional && std::ranges::find(groups, option.group) == groups.end())
      groups.push_back(option.group);
  }
  for (const std::string& group : groups) {
    if (groups.size() > 1) text += fmt::format(".PP\n{}:\n", in_troff(group));
    for (const OptionText& option : command.options) {
      if (!option.is_positional && option.group == group) text += entry(option);
    }
  }
  return text;
}

std::string synopsis(const CommandText& command) {
  std::string line = fmt::format("\\fBquantsearch {}\\fR", in_troff(command.name));
  for (const OptionText& option : command.options) {
    if (!option.is_positional && option.is_required)
      line += fmt::format(" \\fB{}\\fR{}", in_troff(option.names.back()), argument_text(option));
  }
  for (const OptionText& option : command.options) {
    if (option.is_positional)
      line += fmt::format(fmt::runtime(option.is_required ? " \\fI{}\\fR" : " [\\fI{}\\fR]"),
                          in_troff(option.names[0]));
  }
  return line + " [options]\n";
}

std::string command_section(const CommandText& command) {
  std::string text = fmt::format(".SS {}\n{}.PP\n{}.\n{}", in_troff(command.name),
                                 synopsis(command), in_troff(command.summary), entries(command));
  if (!command.footer.empty()) text += fmt::format(".PP\n.nf\n{}\n.fi\n", in_troff(command.footer));
  return text;
}

std::string exit_codes() {
  struct Code {
    int number;
    std::string_view meaning;
  };
  constexpr Code kCodes[] = {
      {kDone, "done"},
      {kInternalError, "internal error"},
      {kBadInput, "bad usage or input; the message is on stderr"},
      {kSearchFellShort,
       "nothing met the tolerance, or the time limit was over before the first trial; the best so "
       "far is written"},
      {kInterrupted, "interrupted; the best so far is written"},
      {kBrokenPipe, "nobody reads the output any more"},
      {kTerminated, "terminated; the best so far is written"}};
  std::string text = ".SH EXIT STATUS\n";
  for (const Code& code : kCodes) text += fmt::format(".TP\n{}\n{}\n", code.number, code.meaning);
  return text;
}

constexpr std::string_view kEnvironment = R"(.SH ENVIRONMENT
.TP
ONNXRUNTIME_ROOT
ONNX Runtime to run on: its library, the folder of a release or that of the Python package onnxruntime.
Without it the library that was installed with quantsearch is used.
.TP
TMPDIR
Where temporary files go.
)";

}  // namespace

std::string man_page(const ProgramText& text) {
  std::string page = fmt::format(".TH QUANTSEARCH 1 \"\" \"quantsearch {}\"\n", kVersion);
  page += ".SH NAME\nquantsearch \\- search for the best quantization of an ONNX model\n";
  page += ".SH SYNOPSIS\n";
  for (const CommandText& command : text.commands) page += synopsis(command) + ".br\n";
  page += fmt::format(".SH DESCRIPTION\n.nf\n{}\n.fi\n", in_troff(text.program.summary));
  page += ".SH OPTIONS\n" + entries(text.program);
  page += ".SH COMMANDS\n";
  for (const CommandText& command : text.commands) page += command_section(command);
  return page + exit_codes() + std::string(kEnvironment);
}

}  // namespace quantsearch::cli
