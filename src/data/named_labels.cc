#include "data/named_labels.h"

#include <fmt/core.h>

#include <charconv>
#include <optional>
#include <set>
#include <string_view>

#include "data/text_lines.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/data/entries_by_name.h"

namespace quantsearch {

namespace {

struct LabelLine {
  std::string name;
  std::string_view label;
};

std::string_view unquoted(std::string_view text) {
  constexpr std::string_view kQuote = "\"";
  const bool is_quoted = text.size() >= 2 && text.starts_with(kQuote) && text.ends_with(kQuote);
  return is_quoted ? text.substr(1, text.size() - 2) : text;
}

/// Names may hold blanks, so the last separator counts.
LabelLine split(std::string_view line) {
  std::size_t end = line.rfind(',');
  if (end == std::string_view::npos) end = line.find_last_of("\t ");
  if (end == std::string_view::npos) return {.name = std::string(line), .label = {}};
  return {.name = std::string(unquoted(trimmed(line.substr(0, end)))),
          .label = unquoted(trimmed(line.substr(end + 1)))};
}

std::optional<std::int64_t> index_of(std::string_view text) {
  std::int64_t index = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), index);
  const bool is_whole = result.ec == std::errc() && result.ptr == text.data() + text.size();
  return is_whole && index >= 0 ? std::optional(index) : std::nullopt;
}

struct NamedLabels {
  std::vector<std::string> names;
  Labels labels;
};

NamedLabels labels_by_name(const std::filesystem::path& file) {
  NamedLabels named;
  std::set<std::string> known;
  const std::vector<std::string> lines = text_lines(file);
  for (std::size_t number = 0; number < lines.size(); ++number) {
    const LabelLine line = split(lines[number]);
    const auto index = index_of(line.label);
    if (!index && number == 0) continue;
    if (!index) {
      throw InvalidInput(
          fmt::format("labels: '{}' has the line '{}', expected a name, a comma and a class index "
                      "from 0",
                      file.string(), lines[number]));
    }
    if (!known.insert(line.name).second)
      throw InvalidInput(
          fmt::format("labels: '{}' names '{}' twice, expected once", file.string(), line.name));
    named.names.push_back(line.name);
    named.labels.push_back(*index);
  }
  return named;
}

}  // namespace

bool is_label_text(const std::filesystem::path& file) {
  return file.extension() == ".csv" || file.extension() == ".txt";
}

Labels read_named_labels(const std::filesystem::path& file, const DataSource& samples) {
  const NamedLabels named = labels_by_name(file);
  const auto [lines, unmatched] = match_entries(EntriesByName(named.names), samples);
  if (unmatched) {
    const std::string fault =
        unmatched->same.empty()
            ? fmt::format("no line for '{}'", unmatched->name)
            : fmt::format("one line for both '{}' and '{}'", unmatched->same, unmatched->name);
    throw InvalidInput(
        fmt::format("labels: '{}' has {}, expected one for each sample", file.string(), fault));
  }
  Labels labels;
  for (const std::size_t line : lines) labels.push_back(named.labels[line]);
  return labels;
}

}  // namespace quantsearch
