// Reads what has changed in a study. Trials do not change once they have ended, so that those which
// had not and those with larger ids are all there is to read.

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "quantsearch/storage.h"
#include "storage/database.h"
#include "storage/study_table.h"
#include "storage/trial_reader.h"

namespace quantsearch {

namespace {

/// What a study was when it was read.
struct Seen {
  std::int64_t last = 0;                      // the largest id
  std::vector<std::int64_t> unfinished = {};  // ids, in order
  // A trial that had ended, by which the study is recognized.
  std::int64_t mark = 0;
  std::optional<Row> row = {};
};

}  // namespace

struct FollowedStudy::State {
  std::string database;
  std::string study;
  bool has_passed = false;        // trials, which hold until `restart`
  std::optional<Seen> seen = {};  // absent until a call has passed trials, and after one that threw
};

namespace {

/// Ids are given again when a study is removed and made anew, times are not.
std::optional<Row> row_of(Database& database, std::int64_t study, std::int64_t trial) {
  const std::array<Cell, 2> cells{trial, study};
  return database.first(
      "SELECT number, state, datetime_complete FROM trials WHERE trial_id = $1 AND study_id = $2",
      cells);
}

/// The trials of a study at one moment.
class Moment {
 public:
  Moment(Database& database, const StudyRow& study)
      : database_(database), reader_(database, study.id, study.summary.goals.size()) {}

  /// Passes those of `unfinished` that have ended, and leaves the others there.
  void read_ended(std::vector<std::int64_t>& unfinished,
                  const std::function<void(StoredTrial&&)>& take) {
    if (unfinished.empty()) return;
    std::vector<std::int64_t> ended;
    std::vector<std::int64_t> others;
    const std::array<Cell, 1> cells{list_cell(database_.dialect(), unfinished)};
    const std::string sql = "SELECT trial_id, state FROM trials WHERE " +
                            is_among(database_.dialect(), "trial_id", "$1") + " ORDER BY trial_id";
    database_.run(sql, cells, [&](const Row& row) {
      const std::string& state = text_in(row[1]);
      const bool is_running = state == "RUNNING";
      (is_running || state == "WAITING" ? others : ended).push_back(integer_in(row[0]));
      if (is_running) ++running_;
    });
    unfinished = std::move(others);
    for (const std::int64_t id : ended) reader_.visit(id, id, take);
  }

  /// Passes those after the id `last` that have ended; adds the others to `unfinished`. Returns the
  /// largest id.
  std::int64_t read_new(std::int64_t last, std::vector<std::int64_t>& unfinished,
                        const std::function<void(StoredTrial&&)>& take) {
    reader_.visit(last + 1, std::numeric_limits<std::int64_t>::max(), [&](StoredTrial&& stored) {
      last = stored.id;
      if (stored.trial.state != TrialState::running) return take(std::move(stored));
      unfinished.push_back(stored.id);
      if (!stored.is_waiting) ++running_;
    });
    return last;
  }

  [[nodiscard]] std::int64_t running() const { return running_; }

 private:
  Database& database_;
  TrialReader reader_;
  std::int64_t running_ = 0;
};

}  // namespace

FollowedStudy::FollowedStudy(std::string database, std::string study)
    : state_(std::make_unique<State>(
          State{.database = std::move(database), .study = std::move(study)})) {}
FollowedStudy::~FollowedStudy() = default;
FollowedStudy::FollowedStudy(FollowedStudy&&) noexcept = default;
FollowedStudy& FollowedStudy::operator=(FollowedStudy&&) noexcept = default;

std::int64_t FollowedStudy::read(const std::function<void()>& restart,
                                 const std::function<void(Trial&&)>& take) {
  std::optional<Seen> seen = std::exchange(state_->seen, std::nullopt);
  const auto opened = open_to_read(state_->database);
  const Transaction moment(*opened, Database::Access::read);
  const StudyRow study = study_named(*opened, state_->study);
  if (seen && seen->row != row_of(*opened, study.id, seen->mark)) seen.reset();
  if (!seen && std::exchange(state_->has_passed, false)) restart();
  Seen next = std::move(seen).value_or(Seen{});
  const auto pass = [&](StoredTrial&& stored) {
    state_->has_passed = true;
    next.mark = stored.id;
    take(std::move(stored.trial));
  };
  Moment trials(*opened, study);
  trials.read_ended(next.unfinished, pass);
  next.last = trials.read_new(next.last, next.unfinished, pass);
  if (!state_->has_passed) return trials.running();
  next.row = row_of(*opened, study.id, next.mark);
  state_->seen = std::move(next);
  return trials.running();
}

}  // namespace quantsearch
