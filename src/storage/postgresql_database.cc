// The PostgreSQL driver through libpq.

#include <fmt/core.h>

#include <charconv>
#include <chrono>
#include <cstring>
#include <map>
#include <thread>
#include <unordered_map>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"
#include "storage/database.h"
#include "storage/libpq.h"

namespace quantsearch {

namespace {

struct FinishConnection {
  void operator()(PGconn* connection) const { libpq().finish(connection); }
};
struct ClearResult {
  void operator()(PGresult* result) const { libpq().clear(result); }
};
using PostgresqlConnection = std::unique_ptr<PGconn, FinishConnection>;
using Result = std::unique_ptr<PGresult, ClearResult>;

// First half of the key of our advisory locks ("qs"); the second half is the study.
constexpr std::int64_t kLockClass = 0x7173;

// Object ids of types are part of PostgreSQL's protocol and do not change (pg_type.dat).
constexpr Oid kBool = 16;
constexpr Oid kInt8 = 20;
constexpr Oid kInt2 = 21;
constexpr Oid kInt4 = 23;
constexpr Oid kFloat4 = 700;
constexpr Oid kFloat8 = 701;

/// Removes the driver from SQLAlchemy's form of a url: "postgresql+psycopg2://".
std::string without_driver(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t plus = url.find('+');
  return plus < scheme ? "postgresql" + url.substr(scheme) : url;
}

template <typename Number>
Number parsed(const char* text) {
  Number number{};
  const char* const end = text + std::strlen(text);
  if (std::from_chars(text, end, number).ptr != end) {
    throw InvalidInput(fmt::format("study database: got '{}' in a column of numbers", text));
  }
  return number;
}

Cell cell_of(const PGresult* result, int row, int column) {
  if (libpq().getisnull(result, row, column) != 0) return std::monostate();
  const char* const text = libpq().getvalue(result, row, column);
  switch (libpq().ftype(result, column)) {
    case kBool:
      return std::int64_t{text[0] == 't'};
    case kInt2:
    case kInt4:
    case kInt8:
      return parsed<std::int64_t>(text);
    case kFloat4:
    case kFloat8:
      return parsed<double>(text);
    default:
      return std::string(text, static_cast<std::size_t>(libpq().getlength(result, row, column)));
  }
}

/// The cell as text; the server knows the types. Nullopt means NULL.
std::optional<std::string> text_of(const Cell& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return fmt::format("{}", *integer);
  if (const auto* number = std::get_if<double>(&cell)) return fmt::format("{}", *number);
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return std::nullopt;
}

std::string first_line(const char* message) {
  const std::string text(message);
  return text.substr(0, text.find('\n'));
}

/// Parameters in the form that libpq takes.
class Texts {
 public:
  explicit Texts(std::span<const Cell> cells) {
    for (const Cell& cell : cells) texts_.push_back(text_of(cell));
    for (const auto& text : texts_) values_.push_back(text ? text->c_str() : nullptr);
  }
  [[nodiscard]] int count() const { return static_cast<int>(values_.size()); }
  [[nodiscard]] const char* const* values() const { return values_.data(); }

 private:
  std::vector<std::optional<std::string>> texts_;
  std::vector<const char*> values_;
};

class PostgresqlDatabase final : public Database {
 public:
  explicit PostgresqlDatabase(const std::string& url) : url_(without_driver(url)) { connect(); }

  ~PostgresqlDatabase() override {
    // Ends the claim together with the connection. The server would release it by itself only some
    // time later.
    const Result result(libpq().exec(connection_.get(), "SELECT pg_advisory_unlock_all()"));
  }
  PostgresqlDatabase(const PostgresqlDatabase&) = delete;
  PostgresqlDatabase& operator=(const PostgresqlDatabase&) = delete;

  [[nodiscard]] Dialect dialect() const override { return Dialect::postgresql; }
  [[nodiscard]] const std::string& name() const override { return name_; }

  using Database::run;
  void run(const std::string& sql, std::span<const Cell> parameters,
           const std::function<void(const Row&)>& on_row) override {
    const std::string& statement = prepared(sql);
    const Texts texts(parameters);
    const Result result(libpq().exec_prepared(connection_.get(), statement.c_str(), texts.count(),
                                              texts.values(), nullptr, nullptr, 0));
    check(result.get());
    pass_rows(result.get(), on_row);
  }

#ifdef LIBPQ_HAS_PIPELINING
  void run_all(std::span<const Step> steps) override {
    if (steps.size() < 2 || libpq().enter_pipeline_mode == nullptr) return Database::run_all(steps);
    for (const Step& step : steps) (void)prepared(step.sql);
    send(steps);
    try {
      for (const Step& step : steps) {
        const Result result(libpq().get_result(connection_.get()));
        check(result.get());
        const Result end(libpq().get_result(connection_.get()));  // null after the rows of each
        pass_rows(result.get(), step.on_row);
      }
    } catch (...) {
      leave_pipeline(steps.size());
      throw;
    }
    leave_pipeline(steps.size());
  }
#endif

  void run_script(const std::string& sql) override {
    const Result result(libpq().exec(connection_.get(), sql.c_str()));
    check(result.get());
  }

  void set_durable(bool durable) override {
    if (durable_ == durable) return;
    run(durable ? "SET synchronous_commit = on" : "SET synchronous_commit = off");
    durable_ = durable;
  }

  [[nodiscard]] bool claim(std::int64_t study_id, Use use) override {
    const std::string sql = fmt::format("SELECT pg_try_advisory_lock{}({}, {})",
                                        use == Use::alone ? "" : "_shared", kLockClass, study_id);
    // The server needs a moment to notice that a process was killed.
    for (int attempt = 0; attempt < 10; ++attempt) {
      if (attempt > 0) std::this_thread::sleep_for(std::chrono::milliseconds(30));
      const auto row = first(sql);
      if (integer_in(row.value()[0]) != 1) continue;
      claims_.insert_or_assign(study_id, use);
      return true;
    }
    return false;
  }

  void reconnect() override {
    connect();
    statements_.clear();
    durable_ = true;
    for (const auto& [study_id, use] : std::map<std::int64_t, Use>(claims_)) {
      if (!claim(study_id, use))
        throw IoError(fmt::format("{}: another process uses the study meanwhile", name_));
    }
  }

 private:
  void connect() {
    connection_.reset(libpq().connectdb(url_.c_str()));
    if (connection_ == nullptr) throw IoError("study database: out of memory for a connection");
    // The name leaves out the password that the url may contain.
    const auto part = [](const char* text) { return text == nullptr ? "" : text; };
    name_ = fmt::format("study database 'postgresql://{}/{}'",
                        part(libpq().host(connection_.get())), part(libpq().db(connection_.get())));
    if (libpq().status(connection_.get()) != CONNECTION_OK) {
      throw IoError(fmt::format("{} cannot be reached: {}", name_,
                                first_line(libpq().error_message(connection_.get()))));
    }
    libpq().set_notice_processor(
        connection_.get(), [](void*, const char*) {}, nullptr);
    if (libpq().set_client_encoding(connection_.get(), "UTF8") != 0) {
      throw IoError(fmt::format("{} does not speak UTF-8", name_));
    }
  }

  static void pass_rows(const PGresult* result, const std::function<void(const Row&)>& on_row) {
    Row row(static_cast<std::size_t>(libpq().nfields(result)));
    for (int line = 0; line < libpq().ntuples(result); ++line) {
      for (std::size_t column = 0; column < row.size(); ++column)
        row[column] = cell_of(result, line, static_cast<int>(column));
      on_row(row);
    }
  }

#ifdef LIBPQ_HAS_PIPELINING
  /// Sends the steps and the mark of their end. A call fails when the connection is lost, but also
  /// on a live one for want of memory. The server would not answer without the mark then, so that
  /// the connection is given up.
  void send(std::span<const Step> steps) {
    try {
      require(libpq().enter_pipeline_mode(connection_.get()));
      for (const Step& step : steps) {
        const Texts texts(step.parameters);
        require(libpq().send_query_prepared(connection_.get(), prepared(step.sql).c_str(),
                                            texts.count(), texts.values(), nullptr, nullptr, 0));
      }
      require(libpq().pipeline_sync(connection_.get()));
    } catch (...) {
      connection_.reset();  // calls without a connection fail as those whose connection is lost
      throw;
    }
  }

  void require(int sent) const {
    if (sent == 1) return;
    throw ConnectionLost(
        fmt::format("{} failed: {}", name_, first_line(libpq().error_message(connection_.get()))));
  }

  /// Leaves out the results that have not been read: of each step one and the null after it, then
  /// the mark of their end. A connection that does not give the mark is of no more use.
  void leave_pipeline(std::size_t steps) {
    bool is_synchronized = false;
    for (std::size_t left = 2 * steps + 1; left > 0 && !is_synchronized; --left) {
      const Result result(libpq().get_result(connection_.get()));
      is_synchronized = libpq().result_status(result.get()) == PGRES_PIPELINE_SYNC;
    }
    if (!is_synchronized || libpq().exit_pipeline_mode(connection_.get()) != 1) connection_.reset();
  }
#endif

  const std::string& prepared(const std::string& sql) {
    if (const auto found = statements_.find(sql); found != statements_.end()) return found->second;
    std::string name = fmt::format("quantsearch_{}", statements_.size());
    const Result result(libpq().prepare(connection_.get(), name.c_str(), sql.c_str(), 0, nullptr));
    check(result.get());
    return statements_.emplace(sql, std::move(name)).first->second;
  }

  void check(const PGresult* result) const {
    const ExecStatusType status = libpq().result_status(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return;
    const char* const code = libpq().result_error_field(result, PG_DIAG_SQLSTATE);
    fail(code == nullptr ? "" : code);
  }

  /// `state` is an SQLSTATE; empty when there is none.
  [[noreturn]] void fail(std::string_view state) const {
    const std::string reason = first_line(libpq().error_message(connection_.get()));
    // Class 23 means that a rule of the schema is violated, 42601 and similar that a statement is
    // invalid, 53100 that the disk of the server is full.
    if (state.starts_with("23") || (state.starts_with("42") && state != "42501")) {
      throw InternalError(fmt::format("{}: {}", name_, reason));
    }
    const std::string message = fmt::format("{} failed: {}", name_, reason);
    // The server says that it ends (57P01 and similar) before the connection is closed.
    const bool has_ended = state.starts_with("57P") || state.starts_with("08");
    if (has_ended || libpq().status(connection_.get()) != CONNECTION_OK)
      throw ConnectionLost(message);
    if (state == "53100") throw DiskFull(message);
    throw IoError(message);
  }

  std::string url_;
  std::string name_;
  PostgresqlConnection connection_;
  std::map<std::int64_t, Use> claims_;                       // by study
  std::unordered_map<std::string, std::string> statements_;  // SQL -> its name on the server
  bool durable_ = true;  // the server's default, until another value is requested
};

}  // namespace

std::unique_ptr<Database> open_postgresql(const std::string& url) {
  return std::make_unique<PostgresqlDatabase>(url);
}

}  // namespace quantsearch
