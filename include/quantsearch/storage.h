#pragma once

// Persistent studies. Trials are stored in an SQLite file or on a PostgreSQL server, in the tables
// of Optuna (schema v3.2.0.a, https://github.com/optuna/optuna), so that optuna and
// optuna-dashboard open them without conversion and studies written by Optuna can be continued
// (docs/studies.md). Every trial is one transaction when it begins and one when it ends.

#include <cstdint>
#include <filesystem>
#include <functional>
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

/// The allowed values of a parameter: a range of numbers, or a list of choices.
using Distribution = std::variant<FloatRange, IntRange, std::vector<Value>>;

/// Distributions of all parameters of a space. A parameter that occurs in several products has the
/// choices of all of them, or the widest bounds. Values that normalization gave the parameters of
/// `points` are choices too, after those of the space. Throws InvalidInput for a parameter that is
/// a range in one product and choices in another.
[[nodiscard]] std::map<std::string, Distribution> distributions_of(
    const Space& space, std::span<const Point> points = {});

struct StudyDescription {
  std::string name;
  std::vector<Goal> goals = {Goal::minimize};      // one for each objective
  std::vector<std::string> objective_names = {};   // shown by the dashboard; none, or one for each
  std::vector<std::string> constraint_names = {};  // stored with the study
  std::map<std::string, Distribution> distributions = {};  // by parameter of a point
  Value fingerprint = {};  // a mapping that identifies the search: content keys, options
  // A mapping of members of the fingerprint to texts for people, which messages show in their
  // place.
  Value in_words = {};
};

// Rules of all stores:
//  - Trials are restored exactly, however the process ended. A trial with one objective is restored
//    with `value` alone.
//  - Equal names in one database mean the same study. It is resumed when its fingerprint is the
//    same; a study without a fingerprint was written by Optuna and is taken over.
//  - load() returns running trials too. In a store for one process these were left by a killed
//    process; start() begins them again under their numbers.
//  - Opening throws InvalidInput for a description that contradicts itself or the study (another
//    fingerprint, goal or distribution, except that lists of choices may grow or shrink at their
//    end; trials that wait for Optuna to run them) and for a file or database that holds no
//    studies, Unsupported for another version of the schema, and IoError when the database cannot
//    be reached or another process uses the study exclusively.
//  - Saving and beginning throw StudyRemoved when the file of the study was removed or replaced.
//  - Methods throw InvalidInput for a point outside the distributions or a value that is NaN,
//    IoError when the database fails, and InternalError for a trial that ends twice.

/// Opens a study in a file for one process; a second process is rejected. Creates the file when it
/// does not exist. A saved trial is on disk.
[[nodiscard]] std::unique_ptr<StudyStore> sqlite_store(const std::filesystem::path& file,
                                                       const StudyDescription& description);
/// Opens a study on a server for one process. `url` is
/// `postgresql://user:password@host:port/database?option=value`, as libpq reads it; a driver
/// ("postgresql+psycopg2") is ignored. Throws Unsupported when the library was built without
/// PostgreSQL.
[[nodiscard]] std::unique_ptr<StudyStore> postgresql_store(const std::string& url,
                                                           const StudyDescription& description);

// Stores for several processes that work on one study. A trial that begin() returned is leased for
// `lease_seconds` (> 0), from then or from the last keep_alive(), by the clock of the database.
// Methods may be called from any thread. start() throws InternalError, because trials begin with
// begin(). Destroying the store releases its running trials, which other processes may then begin
// at once.
[[nodiscard]] std::unique_ptr<SharedStudyStore> shared_sqlite_store(
    const std::filesystem::path& file, const StudyDescription& description,
    double lease_seconds = 60);
[[nodiscard]] std::unique_ptr<SharedStudyStore> shared_postgresql_store(
    const std::string& url, const StudyDescription& description, double lease_seconds = 60);

/// A trial whose parameters were chosen while it ran, each from a distribution of its own.
struct DefineByRunTrial {
  Trial trial;
  std::map<std::string, Distribution> distributions = {};  // of each parameter of the point
  std::map<std::int64_t, double> intermediate = {};        // intermediate values by step
  bool operator==(const DefineByRunTrial&) const = default;
};

/// A study whose parameters become known while its trials run, which is how programs use Optuna.
/// Several processes may work on it. A trial whose process died stays running. Methods may be
/// called from any thread.
class DefineByRunStudy {
 public:
  virtual ~DefineByRunStudy() = default;
  /// Starts a trial and returns its number.
  [[nodiscard]] virtual std::int64_t begin() = 0;
  /// Ends a trial that begin() of this object started. Throws InvalidInput for a parameter without
  /// a distribution or outside it, and for a distribution that an earlier trial excludes (another
  /// kind, logarithm or other choices), as far as news() or finish() have met it.
  virtual void finish(const DefineByRunTrial& finished) = 0;
  /// The trials of all processes that have ended since the last call, by number. The first call
  /// returns all that have ended.
  [[nodiscard]] virtual std::vector<DefineByRunTrial> news() = 0;
};
/// Opens or creates a study in a file or on a server (`database` as below). The description has no
/// distributions. Throws as above.
[[nodiscard]] std::unique_ptr<DefineByRunStudy> define_by_run_study(
    const std::string& database, const StudyDescription& description);

/// The current state of a study, for readers.
struct StudySummary {
  std::string name;
  std::vector<Goal> goals = {};
  std::vector<std::string> objective_names = {};
  Value fingerprint = {};  // null when the study has none
  Value in_words = {};
  std::int64_t trials = 0;
  bool operator==(const StudySummary&) const = default;
};
/// These functions read without locks while others write; each call reads a consistent snapshot.
/// `database` is a file or a postgresql:// url. Throw InvalidInput when the database or study does
/// not exist, else as above.
[[nodiscard]] std::vector<StudySummary> list_studies(const std::string& database);
[[nodiscard]] std::vector<Trial> load_trials(const std::string& database, const std::string& study);
/// The same trials one by one, in the order in which they began, without holding all of them in
/// memory.
void visit_trials(const std::string& database, const std::string& study,
                  const std::function<void(Trial&&)>& take);

/// Reads a study again and again while others write to it, and each time only what has changed.
class FollowedStudy {
 public:
  FollowedStudy(std::string database, std::string study);
  ~FollowedStudy();
  FollowedStudy(FollowedStudy&&) noexcept;
  FollowedStudy& operator=(FollowedStudy&&) noexcept;

  /// Passes the trials that have ended since the last call to `take`, in the order in which they
  /// began. When it has to pass all of them again, because the study was replaced or the last call
  /// has thrown, it calls `restart` before. Returns the number of trials that run. Throws as above.
  std::int64_t read(const std::function<void()>& restart, const std::function<void(Trial&&)>& take);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quantsearch
