#include "evaluate/tasks/entries_by_name.h"

#include <filesystem>

namespace quantsearch {

namespace {

std::string without_folder(const std::string& name) {
  return std::filesystem::path(name).filename().string();
}

}  // namespace

EntriesByName::EntriesByName(const std::vector<std::string>& names) {
  for (std::size_t entry = 0; entry < names.size(); ++entry) {
    if (names[entry].empty()) continue;
    by_path_.emplace(names[entry], entry);
    const auto [alike, is_new] = by_name_.emplace(without_folder(names[entry]), entry);
    if (!is_new) alike->second.reset();
  }
}

std::optional<std::size_t> EntriesByName::find(const std::string& name) const {
  if (const auto exact = by_path_.find(name); exact != by_path_.end()) return exact->second;
  const auto alike = by_name_.find(without_folder(name));
  return alike == by_name_.end() ? std::nullopt : alike->second;
}

}  // namespace quantsearch
