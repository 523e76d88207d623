#pragma once

// The entries of a file with the truth, by the names of the files of data that they belong to.

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace quantsearch {

class EntriesByName {
 public:
  /// The name of each entry; empty when it has none.
  explicit EntriesByName(const std::vector<std::string>& names);
  /// The entry of the file `name`, whose folder need not be the same when no other entry has the
  /// name.
  [[nodiscard]] std::optional<std::size_t> find(const std::string& name) const;

 private:
  std::map<std::string, std::size_t> by_path_;
  std::map<std::string, std::optional<std::size_t>> by_name_;  // nullopt: of several
};

}  // namespace quantsearch
