// Lists and loads studies for readers.

#include <algorithm>
#include <limits>

#include "quantsearch/storage.h"
#include "storage/database.h"
#include "storage/schema.h"
#include "storage/study_table.h"
#include "storage/trial_reader.h"

namespace quantsearch {

std::vector<StudySummary> list_studies(const std::string& database) {
  const auto opened = open_to_read(database);
  const Transaction moment(*opened, Database::Access::read);
  check_schema(*opened);
  std::vector<StudySummary> summaries;
  for (StudyRow& study : read_studies(*opened, std::nullopt)) {
    summaries.push_back(std::move(study.summary));
  }
  return summaries;
}

std::vector<Trial> load_trials(const std::string& database, const std::string& study) {
  std::vector<Trial> trials;
  visit_trials(database, study, [&trials](Trial&& trial) { trials.push_back(std::move(trial)); });
  std::ranges::stable_sort(trials, {}, &Trial::number);
  return trials;
}

void visit_trials(const std::string& database, const std::string& study,
                  const std::function<void(Trial&&)>& take) {
  const auto opened = open_to_read(database);
  const Transaction moment(*opened, Database::Access::read);
  const StudyRow found = study_named(*opened, study);
  TrialReader reader(*opened, found.id, found.summary.goals.size());
  reader.visit(0, std::numeric_limits<std::int64_t>::max(), [&take](StoredTrial&& stored) {
    if (!stored.is_waiting) take(std::move(stored.trial));
  });
}

}  // namespace quantsearch
