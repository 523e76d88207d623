#include "quantsearch/internal/data/entries_by_name.h"

#include <filesystem>

namespace quantsearch {

namespace {

std::string without_folder(const std::string& name) {
  return std::filesystem::path(name).filename().string();
}

std::string without_extension(const std::string& name) {
  return std::filesystem::path(name).replace_extension().generic_string();
}

}  // namespace

EntriesByName::EntriesByName(const std::vector<std::string>& names) {
  const auto add = [](Entries& entries, const std::string& name, std::size_t entry) {
    const auto [alike, is_new] = entries.emplace(name, entry);
    if (!is_new) alike->second.reset();
  };
  for (std::size_t entry = 0; entry < names.size(); ++entry) {
    if (names[entry].empty()) continue;
    add(by_path_, names[entry], entry);
    add(by_name_, without_folder(names[entry]), entry);
  }
}

std::optional<std::size_t> EntriesByName::find(const std::string& name) const {
  const std::string stem = without_extension(name);
  for (const auto& [entries, wanted] : {std::pair(&by_path_, name),
                                        {&by_path_, stem},
                                        {&by_name_, without_folder(name)},
                                        {&by_name_, without_folder(stem)}}) {
    if (const auto found = entries->find(wanted); found != entries->end()) return found->second;
  }
  return std::nullopt;
}

MatchedEntries match_entries(const EntriesByName& entries, const DataSource& samples) {
  MatchedEntries matched;
  std::map<std::size_t, std::string> files;  // by entry
  for (std::int64_t sample = 0; sample < samples.size(); ++sample) {
    const std::string name = samples.sample_name(sample);
    const std::optional<std::size_t> entry = entries.find(name);
    if (!entry) {
      matched.unmatched = {.name = name};
      break;
    }
    const std::string& file = files.emplace(*entry, name).first->second;
    if (file != name) {
      matched.unmatched = {.name = name, .same = file};
      break;
    }
    matched.entries.push_back(*entry);
  }
  return matched;
}

}  // namespace quantsearch
