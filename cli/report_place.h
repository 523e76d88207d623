#pragma once

// Where the results of a search are read from.

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quantsearch/report.h"
#include "quantsearch/storage.h"

namespace quantsearch::cli {

/// The results in `place`: the output folder of a search, which may be running, a results.json, a
/// study.db, or postgresql://... `study` names one of several studies; empty: the only one.
class ResultsPlace {
 public:
  ResultsPlace(std::string place, std::string study)
      : place_(std::move(place)), study_(std::move(study)) {}

  /// The results now. Of a study that was read before, only what has changed is read. Throws
  /// InvalidInput when there are none.
  [[nodiscard]] ResultsDocument read();

  /// Every trial of the study, when the results list a part of them and the study is there; nullopt
  /// otherwise.
  [[nodiscard]] std::optional<VisitTrials> all_trials(const ResultsDocument& results) const;

 private:
  /// A study as far as it was read.
  struct Followed {
    std::string study;
    std::vector<Goal> goals;
    Ranking ranking;
    FollowedStudy source;
    TrialsSoFar trials;
  };

  [[nodiscard]] ResultsDocument from_study(const std::string& database);
  /// A search that has not ended: what was known at its start, and its trials so far.
  [[nodiscard]] ResultsDocument from_running(const std::filesystem::path& folder);
  [[nodiscard]] const TrialsSoFar& trials_of(const std::string& database, const StudySummary& study,
                                             Ranking ranking);

  std::string place_;
  std::string study_;
  std::optional<Followed> followed_;
};

}  // namespace quantsearch::cli
