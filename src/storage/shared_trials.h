#pragma once

// The running trials of a shared study in its tables: how a process sees those of the others,
// begins one, takes one over, keeps it and ends it. A running trial belongs to the process that its
// system attribute names, and its lease is its row of trial_heartbeats, by the clock of the
// database.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/storage.h"
#include "storage/database.h"
#include "storage/trial_reader.h"

namespace quantsearch {

/// The system attribute of a trial that names its process.
inline constexpr const char* kWorker = "quantsearch:worker";
inline constexpr const char* kLongAgo = "'1970-01-01 00:00:00'";

class SharedTrials {
 public:
  virtual ~SharedTrials() = default;

  /// What a process knows of the study.
  struct Known {
    std::int64_t last = 0;                      // the largest id
    std::vector<std::int64_t> unfinished = {};  // ids, in order
    bool has_waiting = false;  // one of these waited for Optuna, which may have begun to run it
  };
  struct Changes {
    std::vector<StoredTrial> trials;  // unfinished ones that have ended, then those that began
    bool has_old_lease = false;       // the lease of a trial of any study is older than a lease
  };
  [[nodiscard]] virtual Changes changes(const Known& known) = 0;

  /// While it exists no other process begins a trial of the study or takes one over.
  struct Locked {
    std::unique_ptr<Transaction> transaction;
    std::vector<StoredTrial> begun = {};  // after the id `last`
  };
  [[nodiscard]] virtual Locked lock(std::int64_t last) = 0;
  /// Adds a trial that belongs to this process, in a transaction of lock(), and commits it.
  [[nodiscard]] virtual StoredTrial add(const Point& point, Transaction& transaction) = 0;
  /// Leases the trial with the lowest number whose lease has expired to this process, in a
  /// transaction of lock(). Optuna's own trials have no worker and are not taken over.
  [[nodiscard]] virtual std::optional<StoredTrial> take_over() = 0;
  /// The ids of running trials of this process.
  [[nodiscard]] virtual std::vector<std::int64_t> running_here() = 0;

  /// Ends a trial of this process; false when it no longer belongs to it, and nothing is written
  /// then. `again`: the transaction of an earlier call may have been committed.
  [[nodiscard]] virtual bool finish(std::int64_t id, const Trial& finished, bool again) = 0;
  /// Sets the heartbeat of the trials that still belong to this process. `time` is an expression.
  virtual void renew(const std::vector<std::int64_t>& ids, const std::string& time) = 0;
};

struct SharedStudy {
  Database& database;
  std::int64_t id = 0;
  const StudyDescription& description;
  double lease_seconds = 0;
  std::string worker;  // a name that no other process has, as JSON
};

/// With one statement for each row, in any dialect.
[[nodiscard]] std::unique_ptr<SharedTrials> shared_trials_by_row(const SharedStudy& study);
/// With one statement for each step, which PostgreSQL can run, and what other processes need of a
/// trial in one row (storage/trial_record.h).
[[nodiscard]] std::unique_ptr<SharedTrials> shared_trials_by_record(const SharedStudy& study);

}  // namespace quantsearch
