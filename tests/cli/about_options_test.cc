// What the program says about itself: version, completions, manual page.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "cli/run_command.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/base/processor.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/runtime.h"
#include "quantsearch/version.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;
using testing::run_quantsearch;
using testing::RunResult;

const std::vector<std::string> kCommands = {"search",      "quantize", "evaluate", "inspect",
                                            "sensitivity", "space",    "report",   "presets"};

/// The names of the long options that the help of a command shows.
std::vector<std::string> options_of(const std::string& command) {
  const std::string help = run_quantsearch({command, "--help"}, "/").out;
  std::vector<std::string> names;
  for (std::size_t at = help.find("  --"); at != std::string::npos;
       at = help.find("  --", at + 1)) {
    if (at > 0 && help[at - 1] != '\n') continue;  // not the first word of a line
    names.push_back(help.substr(at + 2, help.find_first_of(" \n", at + 2) - at - 2));
  }
  return names;
}

std::string made(const std::vector<std::string>& arguments) {
  const RunResult result = run_quantsearch(arguments, "/");
  EXPECT_EQ(result.exit_code, 0) << result.error;
  return result.out;
}

/// What bash offers for the last of `words`.
std::string offered_by_bash(const std::vector<std::string>& words, const fs::path& folder) {
  write_file_atomically(folder / "completions.bash", made({"--completions", "bash"}));
  std::string script = "source completions.bash\nCOMP_WORDS=(";
  for (const std::string& word : words) script += "'" + word + "' ";
  script += ")\nCOMP_CWORD=" + std::to_string(words.size() - 1) +
            "\n_quantsearch\necho \"${COMPREPLY[*]}\" >offered\n";
  write_file_atomically(folder / "script", script);
  const std::string command = "cd '" + folder.string() + "' && bash -eu script";
  EXPECT_EQ(std::system(command.c_str()), 0);
  return read_file(folder / "offered");
}

TEST(Version, IsThatOfTheProjectWithTheRuntime) {
  EXPECT_EQ(made({"--version"}),
            "quantsearch " + std::string(kVersion) + " with " + runtime_version() + "\n");
}

TEST(Version, AsJsonNamesBuildRuntimeAndProcessor) {
  const Value value = parse_json(made({"--version", "--json"}), "version");
  EXPECT_EQ(value.find("version")->as_string(), kVersion);
  EXPECT_EQ(value.find("processor")->find("architecture")->as_string(),
            this_processor().architecture);
  EXPECT_EQ(value.find("runtime")->find("version")->as_string(), runtime_library().version);
  EXPECT_EQ(value.find("runtime")->find("library")->as_string(), runtime_library().file.string());
  EXPECT_FALSE(value.find("build")->find("compiler")->as_string().empty());
  EXPECT_NE(value.find("build")->find("commit"), nullptr);
}

TEST(Version, AsJsonSaysWhatIsWrongWithTheRuntime) {
  const RunResult result = run_quantsearch({"--json", "--version"}, "/", {.runtime = "/nowhere"});
  EXPECT_EQ(result.exit_code, 0);
  const Value value = parse_json(result.out, "version");
  EXPECT_TRUE(value.find("runtime")->find("error")->as_string().starts_with(
      "runtime library: found no libonnxruntime.so in '/nowhere'"));
}

TEST(Version, IsWhatTheOptionJsonIsForBeforeACommand) {
  const RunResult result = run_quantsearch({"--json", "presets"}, "/");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.error.substr(0, result.error.find('\n')), "--json requires --version");
}

TEST(Completions, HaveEveryOptionOfEveryCommand) {
  const std::string bash = made({"--completions", "bash"});
  const std::string zsh = made({"--completions", "zsh"});
  const std::string fish = made({"--completions", "fish"});
  for (const std::string& command : kCommands) {
    EXPECT_NE(fish.find("__fish_use_subcommand -a " + command + " "), std::string::npos) << command;
    EXPECT_NE(zsh.find("    '" + command + ":"), std::string::npos) << command;
    for (const std::string& option : options_of(command)) {
      const std::string in_fish =
          "-n '__fish_seen_subcommand_from " + command + "' -l " + option.substr(2) + " ";
      EXPECT_NE(bash.find(option), std::string::npos) << option;
      EXPECT_NE(zsh.find("'*" + option + "["), std::string::npos) << option;
      EXPECT_TRUE(fish.find(in_fish) != std::string::npos || option == "--help") << option;
    }
  }
  EXPECT_EQ(bash.find("--trial-worker"), std::string::npos);  // hidden
}

TEST(Completions, OfBashOfferCommandsOptionsAndValues) {
  const TemporaryFolder folder;
  EXPECT_EQ(offered_by_bash({"quantsearch", "se"}, folder.path()), "search sensitivity\n");
  EXPECT_EQ(offered_by_bash({"quantsearch", "report", "--h"}, folder.path()), "--help --html\n");
  EXPECT_EQ(offered_by_bash({"quantsearch", "search", "--target", "cpu"}, folder.path()),
            "cpu cpu-vnni\n");
  EXPECT_EQ(offered_by_bash({"quantsearch", "search", "--target", "=", "np"}, folder.path()),
            "npu-cnn\n");
  EXPECT_EQ(offered_by_bash({"quantsearch", "search", "--seed", ""}, folder.path()), "\n");
  EXPECT_EQ(offered_by_bash({"quantsearch", "presets", "XINT8_ADAR"}, folder.path()),
            "XINT8_ADAROUND\n");
}

TEST(Completions, OfBashOfferFiles) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "my model.onnx", "");
  EXPECT_EQ(offered_by_bash({"quantsearch", "inspect", "my"}, folder.path()), "my model.onnx\n");
  EXPECT_EQ(offered_by_bash({"quantsearch", "search", "--config", "my"}, folder.path()),
            "my model.onnx\n");
}

/// The words after `option` in the completions of fish for the command search.
std::vector<std::string> offered_values(const std::string& option) {
  const std::string fish = made({"--completions", "fish"});
  const std::string start = "-n '__fish_seen_subcommand_from search' -l " + option + " -x -a '";
  const std::size_t from = fish.find(start) + start.size();
  const std::string words = fish.substr(from, fish.find('\'', from) - from);
  std::vector<std::string> values;
  for (std::size_t at = 0; at < words.size(); at = words.find(' ', at) + 1) {
    values.push_back(words.substr(at, words.find(' ', at) - at));
    if (words.find(' ', at) == std::string::npos) break;
  }
  return values;
}

TEST(Completions, OfferValuesThatTheKeysTake) {
  for (const auto& [option, key] :
       std::vector<std::pair<std::string, std::string>>{{"target", "target"},
                                                        {"goal", "search_goal"},
                                                        {"algorithm", "search_algo"},
                                                        {"metric", "search_metric"}}) {
    const std::vector<std::string> values = offered_values(option);
    EXPECT_GE(values.size(), 3U) << option;
    for (const std::string& value : values)
      EXPECT_NO_THROW((void)parse_search_config(Value::Map{{key, value}}))
          << option << " " << value;
  }
}

TEST(Completions, OfAnUnknownShellAreRefused) {
  const RunResult result = run_quantsearch({"--completions", "ksh"}, "/");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.error.substr(0, result.error.find('\n')),
            "--completions: got the shell 'ksh', expected bash, zsh or fish");
}

TEST(ManualPage, HasEveryOptionOfEveryCommand) {
  const std::string page = made({"--man"});
  EXPECT_TRUE(
      page.starts_with(".TH QUANTSEARCH 1 \"\" \"quantsearch " + std::string(kVersion) + "\"\n"));
  for (const std::string& command : kCommands) {
    const std::size_t from = page.find(".SS " + command + "\n");
    ASSERT_NE(from, std::string::npos) << command;
    const std::string section = page.substr(from, page.find("\n.S", from + 1) - from);
    for (const std::string& option : options_of(command)) {
      std::string written;  // troff takes a bare minus sign for a hyphen
      for (const char sign : option) written += sign == '-' ? "\\-" : std::string(1, sign);
      EXPECT_NE(section.find("\\fB" + written + "\\fR"), std::string::npos) << command << option;
    }
  }
  EXPECT_NE(page.find(".TP\n143\nterminated"), std::string::npos);
}

}  // namespace
}  // namespace quantsearch
