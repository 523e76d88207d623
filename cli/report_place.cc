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

VisitTrials visit_of(const std::string& database, const std::string& study) {
  return [database, study](const std::function<void(Trial &&)>& take) {
    visit_trials(database, study, take);
  };
}

ResultsDocument from_study(const std::string& database, const std::string& name) {
  const StudySummary study = choose_study(database, name);
  const std::string objective =
      study.objective_names.empty() ? "value" : study.objective_names.front();
  return results_of(study.name, objective, study.goals, visit_of(database, study.name));
}

/// A search that has not ended: what was known at its start, and its trials so far.
ResultsDocument from_running(const fs::path& folder, const std::string& name) {
  const std::string database = (folder / "study.db").string();
  const StudySummary study = choose_study(database, name);
  return results_so_far(results_from(load_config_file(folder / "running.json")), study.goals,
                        visit_of(database, study.name));
}

/// The database of the study in a place; empty when there is none.
std::string database_in(const std::string& place) {
  if (place.starts_with("postgresql")) return place;
  const fs::path path = place;
  if (fs::is_regular_file(path)) return path.extension() == ".json" ? "" : place;
  return fs::exists(path / "study.db") ? (path / "study.db").string() : "";
}

}  // namespace

ResultsDocument results_in(const std::string& place, const std::string& study) {
  const fs::path path = place;
  if (place.starts_with("postgresql")) return from_study(place, study);
  if (fs::is_regular_file(path) && path.extension() == ".json")
    return results_from(load_config_file(path));
  if (fs::is_regular_file(path)) return from_study(place, study);
  const bool has_study = fs::exists(path / "study.db");
  if (has_study && fs::exists(path / "running.json")) return from_running(path, study);
  if (fs::exists(path / "results.json"))
    return results_from(load_config_file(path / "results.json"));
  if (has_study) return from_study((path / "study.db").string(), study);
  throw InvalidInput(
      fmt::format("report: '{}' holds neither results.json nor study.db; expected the output "
                  "folder of a search, a study.db, or "
                  "postgresql://...",
                  place));
}

std::optional<VisitTrials> all_trials_in(const std::string& place, const std::string& study,
                                         const ResultsDocument& results) {
  const std::string database = database_in(place);
  if (!results.trials_in_all || database.empty()) return std::nullopt;
  return visit_of(database, choose_study(database, study).name);
}

}  // namespace quantsearch::cli
