// quantsearch report: shows the results of a search, which may still be running.

#include <fmt/core.h>

#include <cstdio>
#include <filesystem>

#include "common.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/report.h"
#include "quantsearch/storage.h"

namespace quantsearch::cli {

namespace {

namespace fs = std::filesystem;

struct ReportArguments {
  std::string place;
  std::string study;
  std::string html;
  bool json = false;
};

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

ResultsDocument from_study(const std::string& database, const std::string& name) {
  const StudySummary study = choose_study(database, name);
  const std::string objective =
      study.objective_names.empty() ? "value" : study.objective_names.front();
  return results_of(study.name, objective, study.goals.front(), load_trials(database, study.name));
}

ResultsDocument document_of(const ReportArguments& arguments) {
  const fs::path place = arguments.place;
  if (arguments.place.starts_with("postgresql"))
    return from_study(arguments.place, arguments.study);
  if (fs::is_regular_file(place) && place.extension() == ".json")
    return results_from(load_config_file(place));
  if (fs::is_regular_file(place)) return from_study(arguments.place, arguments.study);
  if (fs::exists(place / "results.json"))
    return results_from(load_config_file(place / "results.json"));
  if (fs::exists(place / "study.db"))
    return from_study((place / "study.db").string(), arguments.study);
  throw InvalidInput(
      fmt::format("report: '{}' holds neither results.json nor study.db; expected the output "
                  "folder of a search, a study.db, or "
                  "postgresql://...",
                  arguments.place));
}

int run_report(const ReportArguments& arguments) {
  const ResultsDocument document = document_of(arguments);
  if (!arguments.html.empty()) write_file_atomically(arguments.html, html_report(document));
  if (arguments.json) {
    fmt::print("{}\n", to_json(to_value(document), 1));
  } else {
    fmt::print("{}\n{}", trials_table(document), summary_text(document));
  }
  return kDone;
}

}  // namespace

void add_report_command(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<ReportArguments>();
  CLI::App* command = app.add_subcommand("report", "Show what a search has found, or is finding");
  command
      ->add_option("PLACE", arguments->place,
                   "Output folder of a search, its study.db, or postgresql://user@host/database")
      ->required();
  command->add_option("--study", arguments->study, "Name of the study, where there are several");
  command->add_option("--html", arguments->html, "Also write a page with charts to this file");
  command->add_flag("--json", arguments->json, "As results.json");
  command->callback([arguments, &run] { run = [arguments] { return run_report(*arguments); }; });
}

}  // namespace quantsearch::cli
