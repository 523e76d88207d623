// quantsearch report: what a search has found, from its results.

#include <fmt/core.h>

#include <cstdio>
#include <filesystem>

#include "common.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/value.h"
#include "quantsearch/report.h"

namespace quantsearch::cli {

namespace {

struct ReportArguments {
  std::string folder;
  bool json = false;
};

int run_report(const ReportArguments& arguments) {
  const std::filesystem::path file = std::filesystem::path(arguments.folder) / "results.json";
  if (!std::filesystem::exists(file)) {
    throw InvalidInput(fmt::format("report: '{}' holds no results.json; expected the output folder of a search that has ended", arguments.folder));
  }
  const Value value = load_config_file(file);
  const ResultsDocument document = results_from(value);
  if (arguments.json) {
    fmt::print("{}\n", to_json(value, 1));
  } else {
    fmt::print("{}\n{}", trials_table(document), summary_text(document));
  }
  return kDone;
}

}  // namespace

void add_report_command(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<ReportArguments>();
  CLI::App* command = app.add_subcommand("report", "Show what a search has found");
  command->add_option("FOLDER", arguments->folder, "Output folder of a search")->required();
  command->add_flag("--json", arguments->json, "results.json as it is");
  command->callback([arguments, &run] { run = [arguments] { return run_report(*arguments); }; });
}

}  // namespace quantsearch::cli
