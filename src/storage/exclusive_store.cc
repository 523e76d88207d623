// A study that one process works on exclusively.

#include <fmt/core.h>

#include <array>
#include <limits>
#include <map>
#include <mutex>

#include "quantsearch/base/error.h"
#include "quantsearch/storage.h"
#include "storage/database.h"
#include "storage/study_table.h"
#include "storage/trial_reader.h"
#include "storage/trial_writer.h"

namespace quantsearch {

namespace {

class ExclusiveStore final : public StudyStore {
 public:
  ExclusiveStore(std::unique_ptr<Database> database, const StudyDescription& description)
      : database_(std::move(database)),
        study_(open_study(*database_, description, Database::Use::alone)),
        reader_(*database_, study_, description.goals.size()),
        writer_(*database_, study_, description) {
    const std::array<Cell, 1> cells{study_};
    database_->run(
        "SELECT trial_id, number FROM trials WHERE study_id = $1 AND state = 'RUNNING'", cells,
        [this](const Row& row) {
          running_.insert_or_assign(integer_in(row[1]), Running{integer_in(row[0]), std::nullopt});
        });
  }

  void visit(const std::function<void(Trial&&)>& take) override {
    const std::scoped_lock lock(mutex_);
    const Transaction moment(*database_, Database::Access::read);
    reader_.visit(0, std::numeric_limits<std::int64_t>::max(), [&take](StoredTrial&& stored) {
      if (!stored.is_waiting) take(std::move(stored.trial));
    });
  }

  std::unique_ptr<TrialPages> pages() override {
    const std::scoped_lock lock(mutex_);
    const std::array<Cell, 1> cells{study_};
    const auto last = database_->first(
        "SELECT trial_id FROM trials WHERE study_id = $1 ORDER BY trial_id DESC LIMIT 1", cells);
    return std::make_unique<Pages>(*this, last ? integer_in((*last)[0]) : 0);
  }

  void start(const Trial& running) override {
    const std::scoped_lock lock(mutex_);
    database_->require_in_place();
    // A lost transaction costs nothing, because the trial would begin again anyway.
    database_->set_durable(false);
    Transaction transaction(*database_, Database::Access::write);
    const std::int64_t id = begin(running);
    transaction.commit();
    running_.insert_or_assign(running.number, Running{id, running.point});
  }

  Value decision(const std::string& key) override {
    const std::scoped_lock lock(mutex_);
    return read_decision(*database_, study_, key);
  }

  Value decide(const std::string& key, const Value& value) override {
    const std::scoped_lock lock(mutex_);
    database_->require_in_place();
    database_->set_durable(true);
    return keep_decision(*database_, study_, key, value);
  }

  void save(const Trial& finished) override {
    const std::scoped_lock lock(mutex_);
    database_->require_in_place();
    database_->set_durable(true);
    Transaction transaction(*database_, Database::Access::write);
    const auto started = running_.find(finished.number);
    const bool as_started = started != running_.end() && started->second.point == finished.point;
    const std::int64_t id = as_started ? started->second.id : begin(finished);
    if (!writer_.lock_running(id)) {
      throw IoError(fmt::format("{}: trial {} was ended by another program while it ran",
                                database_->name(), finished.number));
    }
    writer_.finish(id, finished);
    transaction.commit();
    running_.erase(finished.number);
  }

 private:
  class Pages final : public TrialPages {
   public:
    Pages(ExclusiveStore& store, std::int64_t last) : store_(store), last_(last) {}
    std::vector<Trial> next() override {
      const std::scoped_lock lock(store_.mutex_);
      const Transaction moment(*store_.database_, Database::Access::read);
      std::vector<Trial> trials;
      while (trials.empty()) {
        std::vector<StoredTrial> part = store_.reader_.read_part(next_, last_);
        if (part.empty()) break;
        next_ = part.back().id + 1;
        for (StoredTrial& stored : part) {
          if (!stored.is_waiting) trials.push_back(std::move(stored.trial));
        }
      }
      return trials;
    }

   private:
    ExclusiveStore& store_;
    std::int64_t next_ = 0;  // ids
    std::int64_t last_;
  };

  struct Running {
    std::int64_t id = 0;
    std::optional<Point> point;  // absent: an earlier process left the trial
  };

  /// The row of a trial that begins: a new one, or one that a killed process left running.
  std::int64_t begin(const Trial& trial) {
    if (const auto found = running_.find(trial.number); found != running_.end()) {
      writer_.begin_again(found->second.id, trial);
      return found->second.id;
    }
    if (const std::int64_t next = writer_.next_number(); trial.number != next) {
      throw InternalError(fmt::format("{}: trial {} begins, expected {} or one that runs",
                                      database_->name(), trial.number, next));
    }
    return writer_.add(trial);
  }

  std::unique_ptr<Database> database_;
  std::int64_t study_;
  TrialReader reader_;
  TrialWriter writer_;
  std::mutex mutex_;
  std::map<std::int64_t, Running> running_;  // by number
};

std::unique_ptr<StudyStore> store_in(const auto& open, const StudyDescription& description) {
  check(description);
  return std::make_unique<ExclusiveStore>(open(), description);
}

}  // namespace

std::unique_ptr<StudyStore> sqlite_store(const std::filesystem::path& file,
                                         const StudyDescription& description) {
  return store_in([&] { return open_sqlite(file, Database::Access::write); }, description);
}

std::unique_ptr<StudyStore> postgresql_store(const std::string& url,
                                             const StudyDescription& description) {
  return store_in([&] { return open_postgresql(url); }, description);
}

}  // namespace quantsearch
