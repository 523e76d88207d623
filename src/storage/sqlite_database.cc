// The SQLite driver, the only file that uses SQLite. With write-ahead logging readers never wait
// for the writer, and a kill at any moment leaves whole transactions (https://sqlite.org/wal.html).

#include <fmt/core.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <chrono>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/search/study.h"
#include "storage/database.h"
#include "storage/file_claim.h"

namespace quantsearch {

namespace {

// A writer holds the lock while a sampler chooses a point, which takes seconds for a slow sampler.
constexpr int kBusyMilliseconds = 60'000;

struct CloseConnection {
  void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using SqliteConnection = std::unique_ptr<sqlite3, CloseConnection>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

/// Resets a statement after its use, so that it holds no lock.
class Run {
 public:
  explicit Run(sqlite3_stmt* statement) : statement_(statement) {}
  ~Run() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

 private:
  sqlite3_stmt* statement_;
};

int bind(sqlite3_stmt* statement, int place, const Cell& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) {
    return sqlite3_bind_int64(statement, place, *integer);
  }
  if (const auto* number = std::get_if<double>(&cell)) {
    return sqlite3_bind_double(statement, place, *number);
  }
  if (const auto* text = std::get_if<std::string>(&cell)) {
    return sqlite3_bind_text(statement, place, text->data(), static_cast<int>(text->size()),
                             SQLITE_STATIC);
  }
  return sqlite3_bind_null(statement, place);
}

Cell cell_of(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_NULL:
      return std::monostate();
    default: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
      return bytes == nullptr ? std::string() : std::string(bytes, size);
    }
  }
}

class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(const std::filesystem::path& file, Access access)
      : name_(fmt::format("study database '{}'", file.string())),
        claim_(std::filesystem::weakly_canonical(file).string() + "-lock") {
    std::error_code ignored;
    if (access == Access::read && !std::filesystem::exists(file, ignored)) {
      throw InvalidInput(fmt::format("{} does not exist", name_));
    }
    open(file.string(), access, 0);
    if (access == Access::write) {
      use_write_ahead_log();
    } else if (!can_be_read() && !std::filesystem::exists(file.string() + "-wal", ignored)) {
      // In a folder without write permission the index of the log cannot be created. Without a log
      // nobody is writing, so the file can be read directly.
      open("file:" + escaped(std::filesystem::absolute(file).string()) + "?immutable=1", access,
           SQLITE_OPEN_URI);
    }
    run("SELECT count(*) FROM sqlite_master");  // the first read shows whether it is a database
    file_ = std::filesystem::absolute(file);
    identity_ = identity_of(file_);
  }

  [[nodiscard]] Dialect dialect() const override { return Dialect::sqlite; }
  [[nodiscard]] const std::string& name() const override { return name_; }

  using Database::run;
  void run(const std::string& sql, std::span<const Cell> parameters,
           const std::function<void(const Row&)>& on_row) override {
    sqlite3_stmt* const statement = prepared(sql);
    const Run use(statement);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      check(bind(statement, static_cast<int>(i) + 1, parameters[i]));
    }
    Row row(static_cast<std::size_t>(sqlite3_column_count(statement)));
    int code = sqlite3_step(statement);
    for (; code == SQLITE_ROW; code = sqlite3_step(statement)) {
      for (std::size_t column = 0; column < row.size(); ++column) {
        row[column] = cell_of(statement, static_cast<int>(column));
      }
      on_row(row);
    }
    if (code != SQLITE_DONE) fail(code);
  }

  void run_script(const std::string& sql) override {
    check(sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr));
  }

  void set_durable(bool durable) override {
    if (durable_ == durable) return;
    // The pragma takes effect when it is compiled, which a cached statement would be only once.
    run_script(durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    durable_ = durable;
  }

  void require_in_place() const override {
    if (identity_of(file_) == identity_) return;
    throw StudyRemoved(fmt::format("{} was removed or replaced while it was in use", name_));
  }

  [[nodiscard]] bool claim(std::int64_t, Use use) override {
    return claim_.acquire(use == Use::alone);
  }

 private:
  void open(const std::string& file, Access access, int more_flags) {
    statements_.clear();
    const int flags =
        access == Access::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    sqlite3* connection = nullptr;
    const int code = sqlite3_open_v2(file.c_str(), &connection,
                                     flags | SQLITE_OPEN_NOMUTEX | more_flags, nullptr);
    connection_.reset(connection);
    if (code != SQLITE_OK) fail(code);
    sqlite3_extended_result_codes(connection, 0);
    sqlite3_busy_timeout(connection, kBusyMilliseconds);
  }

  /// Device and inode of the file at that path; absent when there is none.
  static std::optional<std::pair<dev_t, ino_t>> identity_of(const std::filesystem::path& file) {
    struct stat named {};
    if (::stat(file.c_str(), &named) != 0) return std::nullopt;
    return std::pair(named.st_dev, named.st_ino);
  }

  bool can_be_read() {
    const int code = sqlite3_exec(connection_.get(), "SELECT count(*) FROM sqlite_master", nullptr,
                                  nullptr, nullptr);
    return code != SQLITE_CANTOPEN && code != SQLITE_READONLY;
  }

  static std::string escaped(const std::string& path) {
    std::string uri;
    for (const char letter : path) {
      uri += letter == '?' || letter == '#' || letter == '%'
                 ? fmt::format("%{:02X}", static_cast<unsigned>(letter))
                 : std::string(1, letter);
    }
    return uri;
  }

  /// SQLite does not wait for locks in this change, so this function does: other processes may be
  /// opening the same new file.
  void use_write_ahead_log() {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(kBusyMilliseconds);
    while (true) {
      std::string mode;
      const auto keep = [](void* text, int, char** columns, char**) {
        *static_cast<std::string*>(text) = columns[0] == nullptr ? "" : columns[0];
        return 0;
      };
      const int code =
          sqlite3_exec(connection_.get(), "PRAGMA journal_mode = WAL", keep, &mode, nullptr);
      if (code == SQLITE_OK && mode == "wal") break;
      if (code != SQLITE_BUSY && code != SQLITE_OK) fail(code);
      if (code == SQLITE_OK) {
        throw IoError(fmt::format(
            "{} cannot keep a write-ahead log, only '{}'; choose a folder of a local disk", name_,
            mode));
      }
      if (std::chrono::steady_clock::now() > deadline) fail(code);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  sqlite3_stmt* prepared(const std::string& sql) {
    if (const auto found = statements_.find(sql); found != statements_.end()) {
      return found->second.get();
    }
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                             SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
    return statements_.emplace(sql, Statement(statement)).first->second.get();
  }

  void check(int code) const {
    if (code != SQLITE_OK) fail(code);
  }

  /// The number of the system's error under an I/O error, in the database or its log; 0 when it is
  /// not known. `errno` has changed since.
  [[nodiscard]] int system_error() const {
    for (const int which : {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER}) {
      sqlite3_file* file = nullptr;
      int number = 0;
      if (sqlite3_file_control(connection_.get(), "main", which, static_cast<void*>(&file)) ==
              SQLITE_OK &&
          file != nullptr && file->pMethods != nullptr &&
          file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &number) == SQLITE_OK &&
          number != 0) {
        return number;
      }
    }
    return 0;
  }

  [[noreturn]] void fail(int code) const {
    const char* const reason =
        connection_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(connection_.get());
    switch (code) {
      case SQLITE_NOTADB:
        throw InvalidInput(fmt::format("{} is not an SQLite database; choose another file", name_));
      case SQLITE_BUSY:
        throw IoError(fmt::format("{} was locked by another program for more than {} s", name_,
                                  kBusyMilliseconds / 1000));
      case SQLITE_CONSTRAINT:
      case SQLITE_ERROR:
      case SQLITE_MISUSE:
      case SQLITE_RANGE:
        throw InternalError(fmt::format("{}: {}", name_, reason));
      case SQLITE_FULL:
        throw DiskFull(fmt::format("{} failed: {}", name_, reason));
      case SQLITE_IOERR:
        fail_to_write(system_error(), fmt::format("{} failed: {}", name_, reason));
      default:
        throw IoError(fmt::format("{} failed: {}", name_, reason));
    }
  }

  std::string name_;
  FileClaim claim_;
  SqliteConnection connection_;
  std::unordered_map<std::string, Statement> statements_;
  bool durable_ = true;  // SQLite's default: FULL
  std::filesystem::path file_;
  std::optional<std::pair<dev_t, ino_t>> identity_;
};

}  // namespace

std::unique_ptr<Database> open_sqlite(const std::filesystem::path& file, Database::Access access) {
  return std::make_unique<SqliteDatabase>(file, access);
}

}  // namespace quantsearch
