#include "storage/database.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "quantsearch/base/error.h"

namespace quantsearch {

std::optional<Row> Database::first(const std::string& sql, std::span<const Cell> parameters) {
  std::optional<Row> found;
  run(sql, parameters, [&](const Row& row) {
    if (!found) found = row;
  });
  return found;
}

namespace {

[[noreturn]] void refuse_cell(const Cell& cell, const char* expected) {
  constexpr std::array<const char*, 4> kKinds{"nothing", "an integer", "a number", "a text"};
  throw InvalidInput(fmt::format("study database: got {} in a column, expected {}",
                                 kKinds[cell.index()], expected));
}

}  // namespace

std::int64_t integer_in(const Cell& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return *integer;
  refuse_cell(cell, "an integer");
}

double number_in(const Cell& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*integer);
  if (const auto* number = std::get_if<double>(&cell)) return *number;
  refuse_cell(cell, "a number");
}

const std::string& text_in(const Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  refuse_cell(cell, "a text");
}

namespace {

const char* begin_of(Database::Dialect dialect, Database::Access access) {
  const bool sqlite = dialect == Database::Dialect::sqlite;
  switch (access) {
    case Database::Access::read:
      return sqlite ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    case Database::Access::write:
      return sqlite ? "BEGIN IMMEDIATE" : "BEGIN";
  }
  throw InternalError("access without a transaction");
}

void roll_back(Database& database) {
  try {
    database.run("ROLLBACK");
  } catch (const std::exception&) {
    // The connection is lost, and the transaction with it. The error that led here reports that.
  }
}

}  // namespace

Transaction::Transaction(Database& database, Database::Access access)
    : Transaction(database, access, {}) {}

Transaction::Transaction(Database& database, Database::Access access,
                         std::vector<Database::Step> steps)
    : database_(database) {
  steps.insert(steps.begin(), {.sql = begin_of(database.dialect(), access)});
  try {
    database.run_all(steps);
  } catch (const std::exception&) {
    if (steps.size() > 1) roll_back(database);
    throw;
  }
}

Transaction::~Transaction() {
  if (open_) roll_back(database_);
}

void Transaction::commit() {
  database_.run("COMMIT");
  open_ = false;
}

void Transaction::commit_after(Database::Step step) {
  const std::vector<Database::Step> steps{std::move(step), {.sql = "COMMIT"}};
  database_.run_all(steps);
  open_ = false;
}

void insert(Database& database, const std::string& table, const std::string& columns,
            std::span<const Row> rows) {
  // Statements are prepared once for each number of rows, so there are at most 50 of them.
  constexpr std::size_t kRowsAtOnce = 50;
  for (std::size_t start = 0; start < rows.size(); start += kRowsAtOnce) {
    const auto some = rows.subspan(start, std::min(kRowsAtOnce, rows.size() - start));
    std::string sql = fmt::format("INSERT INTO {} ({}) VALUES ", table, columns);
    std::vector<Cell> cells;
    for (std::size_t row = 0; row < some.size(); ++row) {
      sql += row == 0 ? "(" : ", (";
      for (std::size_t column = 0; column < some[row].size(); ++column) {
        cells.push_back(some[row][column]);
        sql += fmt::format("{}${}", column == 0 ? "" : ", ", cells.size());
      }
      sql += ")";
    }
    database.run(sql, cells);
  }
}

std::string quoted(const std::string& text) {
  std::string sql = "'";
  for (const char letter : text) sql.append(letter == '\'' ? 2 : 1, letter);
  return sql + "'";
}

std::string now(Database::Dialect dialect) {
  // Six digits, as Optuna writes them, because readers differ in how they interpret three.
  if (dialect == Database::Dialect::sqlite)
    return "(strftime('%Y-%m-%d %H:%M:%f', 'now') || '000')";
  return "(clock_timestamp() AT TIME ZONE 'UTC')";
}

std::string time_before_now(Database::Dialect dialect, const std::string& seconds) {
  if (dialect == Database::Dialect::sqlite) {
    return fmt::format("(strftime('%Y-%m-%d %H:%M:%f', 'now', printf('-%f seconds', {})) || '000')",
                       seconds);
  }
  return fmt::format(
      "((clock_timestamp() AT TIME ZONE 'UTC') - CAST({} AS DOUBLE PRECISION) * INTERVAL '1 "
      "second')",
      seconds);
}

std::string seconds_between(Database::Dialect dialect, const std::string& from,
                            const std::string& to) {
  if (dialect == Database::Dialect::sqlite) {
    return fmt::format("((julianday({}) - julianday({})) * 86400.0)", to, from);
  }
  return fmt::format("CAST(EXTRACT(EPOCH FROM ({} - {})) AS DOUBLE PRECISION)", to, from);
}

std::string is_among(Database::Dialect dialect, const std::string& column,
                     const std::string& parameter) {
  if (dialect == Database::Dialect::sqlite)
    return fmt::format("{} IN (SELECT value FROM json_each({}))", column, parameter);
  return fmt::format("{} = ANY(CAST({} AS BIGINT[]))", column, parameter);
}

Cell list_cell(Database::Dialect dialect, std::span<const std::int64_t> integers) {
  const std::string numbers = fmt::format("{}", fmt::join(integers, ","));
  const bool sqlite = dialect == Database::Dialect::sqlite;
  return (sqlite ? "[" : "{") + numbers + (sqlite ? "]" : "}");
}

const char* for_update(Database::Dialect dialect) {
  // SQLite locks the whole database.
  return dialect == Database::Dialect::sqlite ? "" : " FOR UPDATE";
}

bool is_postgresql_url(const std::string& text) {
  return text.starts_with("postgresql://") || text.starts_with("postgres://") ||
         text.starts_with("postgresql+");
}

std::unique_ptr<Database> open_to_read(const std::string& database) {
  return is_postgresql_url(database) ? open_postgresql(database)
                                     : open_sqlite(database, Database::Access::read);
}

}  // namespace quantsearch
