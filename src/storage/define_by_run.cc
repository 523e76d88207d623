// A study whose parameters become known while its trials run. A trial is written twice: as running
// when it begins, without parameters, and with everything when it ends.

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <set>

#include "quantsearch/base/error.h"
#include "quantsearch/storage.h"
#include "storage/database.h"
#include "storage/distribution.h"
#include "storage/study_table.h"
#include "storage/trial_reader.h"
#include "storage/trial_writer.h"

namespace quantsearch {

namespace {

constexpr std::int64_t kLargestId = std::numeric_limits<std::int64_t>::max();

class Store final : public DefineByRunStudy {
 public:
  Store(std::unique_ptr<Database> database, const StudyDescription& description)
      : database_(std::move(database)),
        study_(open_study(*database_, description, Database::Use::shared)),
        reader_(*database_, study_, description.goals.size(), TrialReader::Extent::everything),
        writer_(*database_, study_, description) {}

  std::int64_t begin() override {
    const std::scoped_lock lock(mutex_);
    database_->require_in_place();
    database_->set_durable(false);  // losing the transaction costs nothing
    Transaction transaction(*database_, Database::Access::write);
    lock_study(*database_, study_);
    Trial trial;
    trial.number = writer_.next_number();
    const std::int64_t id = writer_.add(trial);
    transaction.commit();
    own_.emplace(trial.number, id);
    return trial.number;
  }

  void finish(const DefineByRunTrial& finished) override {
    const std::scoped_lock lock(mutex_);
    const auto own = own_.find(finished.trial.number);
    if (own == own_.end()) {
      throw InternalError(fmt::format("{}: trial {} ends, but this process did not begin it",
                                      database_->name(), finished.trial.number));
    }
    for (const auto& [name, distribution] : finished.distributions)
      require_known(name, distribution);
    database_->require_in_place();
    database_->set_durable(true);
    Transaction transaction(*database_, Database::Access::write);
    if (!writer_.lock_running(own->second)) {
      throw IoError(fmt::format("{}: trial {} was ended by another program while it ran",
                                database_->name(), finished.trial.number));
    }
    writer_.write_by_run(own->second, finished);
    writer_.finish(own->second, finished.trial);
    transaction.commit();
    own_.erase(own);
    known_.insert(finished.distributions.begin(), finished.distributions.end());
  }

  std::vector<DefineByRunTrial> news() override {
    const std::scoped_lock lock(mutex_);
    const Transaction moment(*database_, Database::Access::read);
    std::vector<StoredTrial> read;
    for (const std::int64_t id : std::exchange(unfinished_, {})) {
      for (StoredTrial& stored : reader_.read(id, id)) read.push_back(std::move(stored));
    }
    for (StoredTrial& stored : reader_.read(seen_ + 1, kLargestId))
      read.push_back(std::move(stored));
    std::vector<DefineByRunTrial> finished;
    for (StoredTrial& stored : read) {
      seen_ = std::max(seen_, stored.id);
      if (stored.trial.state == TrialState::running) {
        unfinished_.insert(stored.id);
        continue;
      }
      known_.insert(stored.distributions.begin(), stored.distributions.end());
      finished.push_back({.trial = std::move(stored.trial),
                          .distributions = std::move(stored.distributions),
                          .intermediate = std::move(stored.intermediate)});
    }
    std::ranges::stable_sort(finished, {}, [](const auto& one) { return one.trial.number; });
    return finished;
  }

 private:
  void require_known(const std::string& name, const Distribution& distribution) {
    check(name, distribution);
    const auto known = known_.find(name);
    if (known == known_.end() || are_compatible(known->second, distribution)) return;
    throw InvalidInput(
        fmt::format("{}: parameter '{}' has the distribution {}, expected {} as in "
                    "an earlier trial; give it another name",
                    database_->name(), name, to_json(distribution), to_json(known->second)));
  }

  std::unique_ptr<Database> database_;
  std::int64_t study_;
  TrialReader reader_;
  TrialWriter writer_;
  std::mutex mutex_;
  std::map<std::int64_t, std::int64_t> own_;   // number -> id of running trials that began here
  std::map<std::string, Distribution> known_;  // by parameter
  // State of the last read.
  std::int64_t seen_ = 0;              // the largest id
  std::set<std::int64_t> unfinished_;  // ids
};

}  // namespace

std::unique_ptr<DefineByRunStudy> define_by_run_study(const std::string& database,
                                                      const StudyDescription& description) {
  check(description);
  if (!description.distributions.empty()) {
    throw InvalidInput(fmt::format(
        "study '{}': got distributions for a study whose parameters become known while its trials "
        "run, expected none",
        description.name));
  }
  return std::make_unique<Store>(is_postgresql_url(database)
                                     ? open_postgresql(database)
                                     : open_sqlite(database, Database::Access::write),
                                 description);
}

}  // namespace quantsearch
