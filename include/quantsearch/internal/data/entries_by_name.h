#pragma once

// The entries of a file with the truth, by the names of the files of data that they belong to.

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/data.h"

namespace quantsearch {

class EntriesByName {
 public:
  /// The name of each entry, with or without the extension of its file; empty when it has none.
  explicit EntriesByName(const std::vector<std::string>& names);
  /// The entry of the file `name`, whose folder need not be the same when no other entry has the
  /// name.
  [[nodiscard]] std::optional<std::size_t> find(const std::string& name) const;

 private:
  using Entries = std::map<std::string, std::optional<std::size_t>>;  // nullopt: of several
  Entries by_path_;
  Entries by_name_;
};

/// A sample that has no entry of its own.
struct UnmatchedSample {
  std::string name;
  std::string same = {};  // the file that has the same entry; empty: there is no entry
};
struct MatchedEntries {
  std::vector<std::size_t> entries;  // by sample
  std::optional<UnmatchedSample> unmatched = {};
};
/// The entry of each sample, up to the first without one. Samples of one file have the same entry.
[[nodiscard]] MatchedEntries match_entries(const EntriesByName& entries, const DataSource& samples);

}  // namespace quantsearch
