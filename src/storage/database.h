#pragma once

// The operations that the tables of a study need from a database. The two drivers differ mainly in
// the clock and the locks. Statements are written once, in the subset of SQL that both accept, with
// parameters $1, $2, ... in the order in which they appear.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "quantsearch/base/error.h"

namespace quantsearch {

using Cell = std::variant<std::monostate, std::int64_t, double, std::string>;
using Row = std::vector<Cell>;

/// Thrown when the connection to the database is lost. Its transaction is then lost too, unless the
/// COMMIT was on its way.
class ConnectionLost : public IoError {
 public:
  using IoError::IoError;
};

class Database {
 public:
  enum class Dialect { sqlite, postgresql };
  enum class Access { read, write };
  enum class Use { alone, shared };

  virtual ~Database() = default;
  [[nodiscard]] virtual Dialect dialect() const = 0;
  /// "study database 'study.db'", the beginning of messages.
  [[nodiscard]] virtual const std::string& name() const = 0;

  /// Runs one statement, which is prepared at its first use. `on_row` gets each row, which is valid
  /// during the call. Throws ConnectionLost, IoError, or InternalError when the statement violates
  /// a rule of the schema.
  virtual void run(const std::string& sql, std::span<const Cell> parameters,
                   const std::function<void(const Row& row)>& on_row) = 0;
  /// Runs several statements without parameters.
  virtual void run_script(const std::string& sql) = 0;
  /// With `durable` the following transactions are on disk when they end. Without it they may be
  /// lost (as whole transactions, the latest first) when the machine stops, but not when only the
  /// process does.
  virtual void set_durable(bool durable) = 0;
  /// Throws StudyRemoved when written data could no longer be found, because the file was removed
  /// or replaced.
  virtual void require_in_place() const {}
  /// Claims the study for this process until the connection ends, exclusively or shared with
  /// others. Returns false when the present users of the study rule that out.
  [[nodiscard]] virtual bool claim(std::int64_t study_id, Use use) = 0;
  /// Connects again after ConnectionLost, with the claims of the lost connection. Throws IoError
  /// when the database cannot be reached yet or a claim is refused.
  virtual void reconnect() {}

  void run(const std::string& sql, std::span<const Cell> parameters = {}) {
    run(sql, parameters, [](const Row&) {});
  }
  struct Step {
    std::string sql;
    std::vector<Cell> parameters = {};
    std::function<void(const Row& row)> on_row = [](const Row&) {};
  };
  /// Runs statements one after the other, in one round trip where the driver can. After one that
  /// fails none is run.
  virtual void run_all(std::span<const Step> steps) {
    for (const Step& step : steps) run(step.sql, step.parameters, step.on_row);
  }
  /// The first row, if there is one.
  [[nodiscard]] std::optional<Row> first(const std::string& sql,
                                         std::span<const Cell> parameters = {});
};

/// The value of a cell. Throw InvalidInput when the cell holds another type, which another program
/// must have written.
[[nodiscard]] std::int64_t integer_in(const Cell& cell);
[[nodiscard]] double number_in(const Cell& cell);
[[nodiscard]] const std::string& text_in(const Cell& cell);
[[nodiscard]] inline bool is_null(const Cell& cell) { return cell.index() == 0; }

/// A transaction. A read sees a consistent snapshot. A write excludes other writers (SQLite) or
/// those who lock the same rows (PostgreSQL). The transaction is rolled back when it goes out of
/// scope without commit().
class Transaction {
 public:
  Transaction(Database& database, Database::Access access);
  /// Runs `steps` within it, in the round trip that opens it.
  Transaction(Database& database, Database::Access access, std::vector<Database::Step> steps);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();
  /// Runs `step` in the round trip that commits.
  void commit_after(Database::Step step);

 private:
  Database& database_;
  bool open_ = true;
};

/// Inserts rows of `columns` (separated by commas) into a table, many rows per statement.
void insert(Database& database, const std::string& table, const std::string& columns,
            std::span<const Row> rows);

/// The text as a literal of SQL: "'a'".
[[nodiscard]] std::string quoted(const std::string& text);

// Expressions of the dialect. All times are UTC.
/// The time of the database. In time_before_now() `seconds` is an expression that is subtracted.
[[nodiscard]] std::string now(Database::Dialect dialect);
[[nodiscard]] std::string time_before_now(Database::Dialect dialect, const std::string& seconds);
[[nodiscard]] std::string seconds_between(Database::Dialect dialect, const std::string& from,
                                          const std::string& to);
/// The condition that `column` is among the integers of a list, which `parameter` stands for.
[[nodiscard]] std::string is_among(Database::Dialect dialect, const std::string& column,
                                   const std::string& parameter);
/// Such a list as a cell.
[[nodiscard]] Cell list_cell(Database::Dialect dialect, std::span<const std::int64_t> integers);
/// The suffix of a SELECT whose rows are about to change.
[[nodiscard]] const char* for_update(Database::Dialect dialect);

/// Throws InvalidInput when the file is not an SQLite database, or is absent and `access` is read.
[[nodiscard]] std::unique_ptr<Database> open_sqlite(const std::filesystem::path& file,
                                                    Database::Access access);
/// Throws Unsupported when the library was built without PostgreSQL.
[[nodiscard]] std::unique_ptr<Database> open_postgresql(const std::string& url);
[[nodiscard]] bool is_postgresql_url(const std::string& text);
/// Opens a file or a server for reading.
[[nodiscard]] std::unique_ptr<Database> open_to_read(const std::string& database);

}  // namespace quantsearch
