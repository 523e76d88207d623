#include "evaluate/tasks/named_truth.h"

#include <fmt/core.h>

#include "quantsearch/internal/data/entries_by_name.h"

namespace quantsearch {

bool have_names(const DataSource& samples) { return !samples.sample_name(0).empty(); }

std::vector<std::size_t> entries_of(const DataSource& samples, const NamedTruth& truth,
                                    const TaskOptions& options) {
  MatchedEntries matched = match_entries(EntriesByName(truth.names), samples);
  if (!matched.unmatched) return std::move(matched.entries);
  const auto& [name, same] = *matched.unmatched;
  constexpr const char* kExpected = "expected one for each file of the data";
  const std::string file = options.text(truth.key);
  options.refuse(truth.key, same.empty() ? fmt::format("'{}' has no {} '{}' alone, {}", file,
                                                       truth.entry, name, kExpected)
                                         : fmt::format("'{}' has one {} both '{}' and '{}', {}",
                                                       file, truth.entry, same, name, kExpected));
}

}  // namespace quantsearch
