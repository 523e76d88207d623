#pragma once

// The study itself: found or made, and checked to be the one that is meant.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/storage.h"
#include "storage/database.h"

namespace quantsearch {

/// Throws InvalidInput for a description that contradicts itself.
void check(const StudyDescription& description);

/// Opens a study for writing, in one transaction: makes tables and study where there are none,
/// claims it, checks it against the description, and makes one that Optuna wrote ours. Its id.
/// Throws as said in storage.h.
[[nodiscard]] std::int64_t open_study(Database& database, const StudyDescription& description,
                                      Database::Use use);

struct StudyRow {
  std::int64_t id = 0;
  StudySummary summary;
};
/// Within a transaction. `name`: that one, when it is there; absent: all, by id.
[[nodiscard]] std::vector<StudyRow> read_studies(Database& database,
                                                 const std::optional<std::string>& name);

/// "'data' is "b", was "a"; 'labels' is 3, was absent" for every key in which two mappings differ.
[[nodiscard]] std::string differences(const Value& now, const Value& before);

}  // namespace quantsearch
