#pragma once

// What the tables of a study need of a database. The two drivers differ in little more than the
// clock and the locks; statements are written once, in the part of SQL that both take, with $1, $2,
// ... in the order in which they appear.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace quantsearch {

using Cell = std::variant<std::monostate, std::int64_t, double, std::string>;
using Row = std::vector<Cell>;

class Database {
 public:
  enum class Dialect { sqlite, postgresql };
  enum class Access { read, write };
  enum class Use { alone, shared };

  virtual ~Database() = default;
  [[nodiscard]] virtual Dialect dialect() const = 0;
  /// "study database 'study.db'", to begin messages with.
  [[nodiscard]] virtual const std::string& name() const = 0;

  /// Runs one statement, prepared at its first use; `on_row` gets each row, valid during the call.
  /// Throws IoError, or InternalError when the statement breaks a rule of the schema.
  virtual void run(const std::string& sql, std::span<const Cell> parameters,
                   const std::function<void(const Row& row)>& on_row) = 0;
  /// Several statements without parameters.
  virtual void run_script(const std::string& sql) = 0;
  /// The following transactions are on disk when they end, or may be lost (whole, the latest first)
  /// when the machine, not merely the process, stops.
  virtual void set_durable(bool durable) = 0;
  /// Throws StudyRemoved when others could no longer find what is written: the file has been
  /// removed or replaced.
  virtual void require_in_place() const {}
  /// Claims the study for this process until the connection ends, alone or with others who share
  /// it; false when others use it so that it cannot be.
  [[nodiscard]] virtual bool claim(std::int64_t study_id, Use use) = 0;

  void run(const std::string& sql, std::span<const Cell> parameters = {}) {
    run(sql, parameters, [](const Row&) {});
  }
  /// The first row, when there is one.
  [[nodiscard]] std::optional<Row> first(const std::string& sql,
                                         std::span<const Cell> parameters = {});
};

/// What a cell holds. Throw InvalidInput when that is something else: another program wrote it.
[[nodiscard]] std::int64_t integer_in(const Cell& cell);
[[nodiscard]] double number_in(const Cell& cell);
[[nodiscard]] const std::string& text_in(const Cell& cell);
[[nodiscard]] inline bool is_null(const Cell& cell) { return cell.index() == 0; }

/// A read sees one moment. A write excludes other writers (SQLite) or those who lock the same rows
/// (PostgreSQL). Undone when it goes out of scope without commit().
class Transaction {
 public:
  Transaction(Database& database, Database::Access access);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

/// Inserts rows of `columns` (separated by commas) into a table, many at a time.
void insert(Database& database, const std::string& table, const std::string& columns,
            std::span<const Row> rows);

/// "'a'" as SQL.
[[nodiscard]] std::string quoted(const std::string& text);

// Expressions of the dialect. Times are UTC.
/// The time of the database; `before`: seconds to subtract, an expression.
[[nodiscard]] std::string now(Database::Dialect dialect);
[[nodiscard]] std::string time_before_now(Database::Dialect dialect, const std::string& seconds);
[[nodiscard]] std::string seconds_between(Database::Dialect dialect, const std::string& from,
                                          const std::string& to);
/// Follows a SELECT of rows that are about to change.
[[nodiscard]] const char* for_update(Database::Dialect dialect);

/// Throws InvalidInput when a file is no SQLite database, or is absent and `access` is read.
[[nodiscard]] std::unique_ptr<Database> open_sqlite(const std::filesystem::path& file,
                                                    Database::Access access);
/// Throws Unsupported where PostgreSQL was not there when the library was built.
[[nodiscard]] std::unique_ptr<Database> open_postgresql(const std::string& url);
[[nodiscard]] bool is_postgresql_url(const std::string& text);

}  // namespace quantsearch
