#pragma once

// Writes trials as rows of Optuna's tables.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "quantsearch/storage.h"
#include "storage/database.h"

namespace quantsearch {

/// The name of the state in Optuna's tables.
[[nodiscard]] const char* optuna_state(TrialState state);

/// Every function that is not const must be called within a write transaction.
class TrialWriter {
 public:
  TrialWriter(Database& database, std::int64_t study_id, const StudyDescription& description);

  /// The rows of a trial in a table, without its id: of trial_params (name, number, distribution),
  /// trial_values (objective, value, type) and the tables of attributes (key, JSON). Throw as the
  /// functions that write them.
  [[nodiscard]] std::vector<Row> parameter_rows(const Point& point) const;
  [[nodiscard]] std::vector<Row> value_rows(const Trial& trial) const;
  [[nodiscard]] static std::vector<Row> user_attribute_rows(const Trial& trial);
  [[nodiscard]] static std::vector<Row> system_attribute_rows(const Trial& trial);

  /// The number that the next trial gets, which by Optuna's rule is the number of trials before it.
  [[nodiscard]] std::int64_t next_number();
  /// True when a trial is still running. No other process can change that until the transaction
  /// ends.
  [[nodiscard]] bool lock_running(std::int64_t id);

  /// Adds a running trial that began trial.seconds ago, and returns its id.
  [[nodiscard]] std::int64_t add(const Trial& trial);
  /// The same for the next number, which it sets.
  [[nodiscard]] std::int64_t add_next(Trial& trial);
  /// Removes everything except the number from a running trial, which then began trial.seconds ago.
  void begin_again(std::int64_t id, const Trial& trial);
  /// Writes what became known of a running trial while it ran: its parameters and intermediate
  /// values. Throws InvalidInput for a parameter without a distribution or outside it.
  void write_by_run(std::int64_t id, const DefineByRunTrial& defined);
  /// Ends a running trial, whose parameters are already written, with its results. Throws
  /// InvalidInput for a value that is NaN, InternalError for a trial that is still running or has
  /// another number of values.
  void finish(std::int64_t id, const Trial& trial);

 private:
  void write_parameters(std::int64_t id, const Point& point);

  Database& database_;
  std::int64_t study_id_;
  std::size_t goals_;
  std::map<std::string, Distribution> distributions_;
  std::map<std::string, std::string> json_of_;  // parameter -> its distribution
};

/// Throws InvalidInput for a name that does not fit in the columns.
void check_name(const std::string& what, const std::string& name);

}  // namespace quantsearch
