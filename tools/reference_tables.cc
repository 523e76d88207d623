// Writes the tables of options and keys into the pages of the documentation, from the tables that
// the command itself reads.
//
//   reference_tables [--check] PAGE...
//
// A table stands between `<!-- table: NAME -->` and `<!-- end of table -->`; the text around it is
// written by hand. --check changes nothing: exit code 1 and the first other line when a page is not
// what would be written. Every table must be in one of the pages.

#include <fmt/core.h>

#include <cstdio>
#include <functional>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "quantsearch/autosearch.h"
#include "quantsearch/base/error.h"
#include "quantsearch/evaluate/task.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/internal/base/names.h"
#include "quantsearch/media.h"
#include "quantsearch/pipeline/settings.h"

namespace quantsearch {
namespace {

constexpr const char* kBegin = "<!-- table: ";
constexpr const char* kEnd = "<!-- end of table -->";

/// Where a key of a search has a section of its own.
const std::map<std::string, std::string>& sections() {
  static const std::map<std::string, std::string> kSections = {
      {"fixed_inputs", "[bodies](bodies.md)"},
      {"provenance", "[provenance](delivery.md#provenance)"},
      {"search_metric",
       "[metrics](metrics.md), [objectives](search.md#several-objectives-and-limits)"},
      {"search_goal", "[goals](search.md#goals)"},
      {"search_metric_tolerance", "[rule](decisions/0002-default-tolerance-is-relative.md)"},
      {"search_limits", "[limits](search.md#several-objectives-and-limits)"},
      {"search_confirmation", "[confirmation](search.md#confirmation)"},
      {"search_algo", "[how to choose](search.md)"},
      {"search_racing", "[racing](search.md#racing)"},
      {"search_isolate", "[isolation](search.md#isolated-trials)"},
      {"search_devices", "[devices](search.md#devices)"},
      {"study_storage", "[studies](studies.md)"},
      {"search_sensitivity", "[which layers hurt](search.md#which-layers-hurt)"}};
  return kSections;
}

/// Pages that the text of the command names, as links.
std::string with_links(const std::string& text) {
  static const std::regex kPage(R"(docs/([a-z_]+)\.md)");
  return std::regex_replace(text, kPage, "[$1]($1.md)");
}

std::string row(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += " " + cell + (cell.empty() ? "|" : " |");
  return line + "\n";
}

std::string table(const std::vector<std::string>& heading) {
  std::string line = row(heading) + "|";
  for (std::size_t column = 0; column < heading.size(); ++column) line += "---|";
  return line + "\n";
}

std::string search_key_table() {
  std::string text = table({"key", "meaning", "default", "option"});
  for (const SearchKey& key : search_keys()) {
    const auto section = sections().find(key.name);
    const std::string see = section == sections().end() ? "" : " (" + section->second + ")";
    const std::string otherwise =
        key.without_file.empty()
            ? ""
            : "; on the command line without a configuration " + key.without_file;
    text += row({"`" + key.name + "`", with_links(key.meaning) + see,
                 with_links(key.default_value) + otherwise,
                 key.flag.empty() ? "" : "`" + key.flag + "`"});
  }
  return text;
}

/// As it is written in a configuration file.
std::string written(const Value& value) {
  if (value.is_null()) return "absent";
  if (value.is_string()) return value.as_string();
  if (!value.is_list()) return to_json(value);
  std::string list;
  for (const Value& entry : value.as_list()) list += (list.empty() ? "" : ", ") + written(entry);
  return "[" + list + "]";
}

std::string option_table() {
  std::string text = table({"option", "meaning", "default"});
  for (const OptionInfo& option : all_options()) {
    text += row({"`" + option.name + "`", with_links(option.meaning),
                 "`" + written(option.default_value) + "`"});
  }
  return text;
}

std::string task_table(const TaskInfo& task) {
  std::string text = table({"key", "meaning", "default"});
  for (const TaskKey& key : task.keys)
    text += row({"`" + key.name + "`", with_links(key.meaning), key.default_value});
  return text;
}

std::string preprocess_table(bool is_for_images) {
  std::string text = table({"key", "meaning", "default"});
  for (const PreprocessKey& key : preprocess_keys()) {
    if (key.is_for_images != is_for_images) continue;
    text += row({"`" + key.name + "`", key.meaning,
                 key.default_value.is_null() ? "open" : to_json(key.default_value)});
  }
  return text;
}

std::string preset_table() {
  std::string text = table({"preset", "for", "keys"});
  for (const PreprocessPreset& preset : preprocess_presets())
    text += row({"`" + preset.name + "`", preset.meaning, "`" + to_json(preset.keys) + "`"});
  return text;
}

std::map<std::string, std::string> all_tables() {
  std::map<std::string, std::string> tables = {{"search keys", search_key_table()},
                                               {"quantization options", option_table()},
                                               {"preprocess presets", preset_table()},
                                               {"preprocess images", preprocess_table(true)},
                                               {"preprocess sounds", preprocess_table(false)}};
  for (const TaskInfo& task : all_tasks()) tables["task " + task.name] = task_table(task);
  return tables;
}

/// The name of the table that begins in this line.
std::optional<std::string> table_name(const std::string& line) {
  const std::string begin = kBegin;
  const std::string close = " -->";
  if (!line.starts_with(begin) || !line.ends_with(close)) return std::nullopt;
  return line.substr(begin.size(), line.size() - begin.size() - close.size());
}

class Pages {
 public:
  /// `page` with its tables as they should be.
  std::string renewed(const std::string& file, const std::string& page) {
    std::istringstream lines(page);
    std::string text;
    for (std::string line; std::getline(lines, line);) {
      text += line + "\n";
      const auto name = table_name(line);
      if (!name) continue;
      const auto found = tables_.find(*name);
      if (found == tables_.end()) {
        std::vector<std::string> known;
        for (const auto& [other, content] : tables_) known.push_back(other);
        throw InvalidInput(file + ": " + unknown_name_message("table", *name, known));
      }
      written_.insert(*name);
      while (line != kEnd) {
        if (!std::getline(lines, line))
          throw InvalidInput(
              fmt::format("{}: table '{}' has no end, expected the line '{}'", file, *name, kEnd));
      }
      text += found->second + kEnd + "\n";
    }
    return text;
  }

  /// Throws when a table is in no page.
  void require_all() const {
    for (const auto& [name, content] : tables_) {
      if (!written_.contains(name))
        throw InvalidInput(fmt::format("table '{}' is in none of the pages", name));
    }
  }

 private:
  std::map<std::string, std::string> tables_ = all_tables();
  std::set<std::string> written_;
};

/// The first line of `expected` that `page` does not have at its place.
std::string first_difference(const std::string& page, const std::string& expected) {
  std::istringstream is(page);
  std::istringstream should_be(expected);
  std::string found;
  for (std::string line; std::getline(should_be, line);) {
    if (!std::getline(is, found) || found != line) return line;
  }
  return "(nothing more)";
}

int run(std::vector<std::string> files) {
  const bool checks = std::erase(files, "--check") > 0;
  if (files.empty()) throw InvalidInput("got no page, expected reference_tables [--check] PAGE...");
  Pages pages;
  int code = 0;
  for (const std::string& file : files) {
    const std::string page = read_file(file);
    const std::string renewed = pages.renewed(file, page);
    if (renewed == page) continue;
    if (!checks) {
      write_file_atomically(file, renewed);
      continue;
    }
    fmt::print(stderr,
               "{} is not what reference_tables writes; its first other line should be\n{}\n", file,
               first_difference(page, renewed));
    code = 1;
  }
  pages.require_all();
  return code;
}

}  // namespace
}  // namespace quantsearch

int main(int count, char** values) {
  try {
    return quantsearch::run({values + 1, values + count});
  } catch (const quantsearch::Error& error) {
    fmt::print(stderr, "reference_tables: {}\n", error.what());
    return 2;
  }
}
