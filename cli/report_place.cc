#include "report_place.h"

#include <fmt/core.h>

#include <filesystem>

#include "quantsearch/base/error.h"
#include "quantsearch/base/value.h"
#include "quantsearch/storage.h"

namespace quantsearch::cli {

namespace {

namespace fs = std::filesystem;

/// Returns the study with this name, or the only one when no name is given.
StudySummary choose_study(const std::string& database, const std::string& name) {
  const std::vector<StudySummary> studies = list_studies(database);
  if (studies.empty()) throw InvalidInput(fmt::format("report: '{}' holds no study", database));
  if (name.empty() && studies.size() == 1) return studies.front();
  std::string names;
  for (const StudySummary& study : studies) {
    if (study.name == name) return study;
    names += (names.empty() ? "'" : ", '") + study.name + "'";
  }
  throw InvalidInput(fmt::format("report: '{}' holds the studies {}; name one of them with --study",
                                 database, names));
}

/// The database of the study in a place; empty when there is none.
std::string database_in(const std::string& place) {
  if (place.starts_with("postgresql")) return place;
  const fs::path path = place;
  if (fs::is_regular_file(path)) return path.extension() == ".json" ? "" : place;
  return fs::exists(path / "study.db") ? (path / "study.db").string() : "";
}

}  // namespace

ResultsDocument ResultsPlace::read() {
  const fs::path path = place_;
  if (place_.starts_with("postgresql")) return from_study(place_);
  if (fs::is_regular_file(path) && path.extension() == ".json")
    return results_from(load_config_file(path));
  if (fs::is_regular_file(path)) return from_study(place_);
  const bool has_study = fs::exists(path / "study.db");
  if (has_study && fs::exists(path / "running.json")) return from_running(path);
  if (fs::exists(path / "results.json"))
    return results_from(load_config_file(path / "results.json"));
  if (has_study) return from_study((path / "study.db").string());
  throw InvalidInput(
      fmt::format("report: '{}' holds neither results.json nor study.db; expected the output "
                  "folder of a search, a study.db, or "
                  "postgresql://...",
                  place_));
}

std::optional<VisitTrials> ResultsPlace::all_trials(const ResultsDocument& results) const {
  const std::string database = database_in(place_);
  if (!results.trials_in_all || database.empty()) return std::nullopt;
  return [database, study = choose_study(database, study_).name](
             const std::function<void(Trial &&)>& take) { visit_trials(database, study, take); };
}

ResultsDocument ResultsPlace::from_study(const std::string& database) {
  const StudySummary study = choose_study(database, study_);
  const std::string objective =
      study.objective_names.empty() ? "value" : study.objective_names.front();
  return results_of(study.name, objective, study.goals,
                    trials_of(database, study, study.goals.front()));
}

ResultsDocument ResultsPlace::from_running(const fs::path& folder) {
  const std::string database = (folder / "study.db").string();
  const StudySummary study = choose_study(database, study_);
  ResultsDocument head = results_from(load_config_file(folder / "running.json"));
  const TrialsSoFar& trials = trials_of(database, study, head.ranking());
  return results_so_far(std::move(head), study.goals, trials);
}

const TrialsSoFar& ResultsPlace::trials_of(const std::string& database, const StudySummary& study,
                                           Ranking ranking) {
  const bool is_followed = followed_ && followed_->study == study.name &&
                           followed_->goals == study.goals && followed_->ranking == ranking;
  if (!is_followed) {
    followed_.emplace(Followed{.study = study.name,
                               .goals = study.goals,
                               .ranking = ranking,
                               .source = FollowedStudy(database, study.name),
                               .trials = TrialsSoFar(ranking, study.goals)});
  }
  TrialsSoFar& trials = followed_->trials;
  trials.running =
      followed_->source.read([&] { trials = TrialsSoFar(ranking, study.goals); },
                             [&trials](Trial&& ended) { trials.add(std::move(ended)); });
  return trials;
}

}  // namespace quantsearch::cli
