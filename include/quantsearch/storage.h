#pragma once

// Studies that survive: trials in an SQLite file or on a PostgreSQL server, in the tables of Optuna
// (schema v3.2.0.a, https://github.com/optuna/optuna), so that optuna and optuna-dashboard open
// them as they are and studies written by Optuna can be continued (docs/studies.md). Every trial is
// one transaction when it begins and one when it ends.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "quantsearch/base/value.h"
#include "quantsearch/optimizers/domain.h"
#include "quantsearch/search/space.h"
#include "quantsearch/search/study.h"

namespace quantsearch {

/// What a parameter may be: a range of numbers, or one of these values.
using Distribution = std::variant<FloatRange, IntRange, std::vector<Value>>;

/// Of every parameter of a space; one that several products name has the choices of all, or the
/// widest bounds. `points`: values that normalizing gave them are choices too, after those of the
/// space. Throws InvalidInput for a parameter that is a range in one product and choices in
/// another.
[[nodiscard]] std::map<std::string, Distribution> distributions_of(
    const Space& space, std::span<const Point> points = {});

struct StudyDescription {
  std::string name;
  std::vector<Goal> goals = {Goal::minimize};      // one for each objective
  std::vector<std::string> objective_names = {};   // shown by the dashboard; none, or one for each
  std::vector<std::string> constraint_names = {};  // kept beside the study
  std::map<std::string, Distribution> distributions = {};  // of every parameter of a point
  Value fingerprint = {};  // a mapping that says what was searched: content keys, options
};

// All stores:
//  - Trials come back exactly, after any end of the process. A trial with one objective comes back
//    with `value` alone.
//  - Names that repeat in a database are the same study. It is resumed when its fingerprint is the
//    same; one that has none was written by Optuna and becomes ours.
//  - load() gives running trials too. In a store of one process those were left by a kill and begin
//    again, under their numbers, with start().
//  - Opening throws InvalidInput for a description that contradicts itself or the study (another
//    fingerprint, goal or distribution; trials that wait for Optuna to run them) and for a file or
//    database of something else, Unsupported for another version of the schema, IoError when it
//    cannot be reached or another process uses the study alone.
//  - Saving and beginning throw StudyRemoved when the file of the study was removed or replaced.
//  - Methods throw InvalidInput for a point that the distributions do not hold or a value that is
//    NaN, IoError when the database fails, InternalError for a trial that ends twice.

/// One process at a time; a second is refused. Creates the file when it is not there. A saved trial
/// is on disk.
[[nodiscard]] std::unique_ptr<StudyStore> sqlite_store(const std::filesystem::path& file,
                                                       const StudyDescription& description);
/// `url`: postgresql://user:password@host:port/database?option=value, as libpq reads it; a driver
/// ("postgresql+psycopg2") is passed over. Throws Unsupported where the library was built without
/// PostgreSQL.
[[nodiscard]] std::unique_ptr<StudyStore> postgresql_store(const std::string& url,
                                                           const StudyDescription& description);

// Several processes on one study. A trial that begin() gave is leased for `lease_seconds` (> 0)
// from then or the last keep_alive(), on the clock of the database. Methods may be called from any
// thread; start() throws InternalError: trials begin with begin(). Destroying the store gives its
// running trials up: others begin them at once.
[[nodiscard]] std::unique_ptr<SharedStudyStore> shared_sqlite_store(
    const std::filesystem::path& file, const StudyDescription& description,
    double lease_seconds = 60);
[[nodiscard]] std::unique_ptr<SharedStudyStore> shared_postgresql_store(
    const std::string& url, const StudyDescription& description, double lease_seconds = 60);

/// A study as it stands, for those who only read.
struct StudySummary {
  std::string name;
  std::vector<Goal> goals = {};
  std::vector<std::string> objective_names = {};
  Value fingerprint = {};  // null when it has none
  std::int64_t trials = 0;
  bool operator==(const StudySummary&) const = default;
};
/// Reads without locks, while others write: each call sees one moment. `database`: a file or a
/// postgresql:// url. Throw InvalidInput when there is no such database or study, else as above.
[[nodiscard]] std::vector<StudySummary> list_studies(const std::string& database);
[[nodiscard]] std::vector<Trial> load_trials(const std::string& database, const std::string& study);

}  // namespace quantsearch
