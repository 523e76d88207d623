#pragma once

// The study itself: finds or creates it and checks that it is the intended one.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/storage.h"
#include "storage/database.h"

namespace quantsearch {

/// Throws InvalidInput for a description that contradicts itself.
void check(const StudyDescription& description);

/// Opens a study for writing, in one transaction, and returns its id. It creates missing tables and
/// a missing study, claims the study, checks it against the description, and takes over a study
/// that Optuna wrote. Throws what storage.h names.
[[nodiscard]] std::int64_t open_study(Database& database, const StudyDescription& description,
                                      Database::Use use);

/// Keeps other processes from beginning a trial until the write transaction ends.
void lock_study(Database& database, std::int64_t study);

/// A decision of the study (StudyStore::decision); null when there is none.
[[nodiscard]] Value read_decision(Database& database, std::int64_t study, const std::string& key);
/// Keeps a decision unless there is one, in one transaction; returns the one that is kept.
Value keep_decision(Database& database, std::int64_t study, const std::string& key,
                    const Value& value);

struct StudyRow {
  std::int64_t id = 0;
  StudySummary summary;
};
/// Must be called within a transaction. `name`: that study, if it exists; absent: all studies, by
/// id.
[[nodiscard]] std::vector<StudyRow> read_studies(Database& database,
                                                 const std::optional<std::string>& name);
/// The study of that name. Throws InvalidInput when there is none, Unsupported for another version
/// of the schema.
[[nodiscard]] StudyRow study_named(Database& database, const std::string& name);

/// What a study is known by, and the same in words.
struct Identity {
  Value fingerprint;
  Value in_words = {};
};
/// Text such as "'data' is 10 samples of 'b.npz', was 20 samples of 'a.npz'; 'labels' is 3, was
/// absent", for every key in which two fingerprints differ.
[[nodiscard]] std::string differences(const Identity& now, const Identity& before);

}  // namespace quantsearch
