// quantsearch report: shows the results of a search, which may still be running.

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>

#include "common.h"
#include "help.h"
#include "page_server.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/report.h"
#include "report_place.h"
#include "terminal.h"

namespace quantsearch::cli {

namespace {

constexpr int kDefaultPort = 8642;
constexpr int kRefreshSeconds = 3;

struct ReportArguments {
  std::string place;
  std::string study;
  std::vector<std::string> compare;  // none, or two places
  std::string html;
  std::string format = "text";
  bool json = false;
  bool serve = false;
  int port = kDefaultPort;
};

std::vector<ResultsPlace> places_of(const ReportArguments& arguments) {
  std::vector<ResultsPlace> places;
  if (arguments.compare.empty()) places.emplace_back(arguments.place, arguments.study);
  for (const std::string& place : arguments.compare) places.emplace_back(place, arguments.study);
  return places;
}

std::vector<ResultsDocument> documents_in(std::vector<ResultsPlace>& places) {
  std::vector<ResultsDocument> documents;
  for (ResultsPlace& place : places) documents.push_back(place.read());
  return documents;
}

void require_a_place(const ReportArguments& arguments) {
  if (arguments.place.empty() && arguments.compare.empty())
    throw InvalidInput(
        "report: got no PLACE; give the output folder of a search, or two with --compare");
  if (!arguments.place.empty() && !arguments.compare.empty())
    throw InvalidInput(fmt::format("report: got both PLACE '{}' and --compare; give one of them",
                                   arguments.place));
}

/// Serves the page, with the data of the moment for each request.
int serve(const ReportArguments& arguments) {
  std::vector<ResultsPlace> places = places_of(arguments);
  (void)documents_in(places);  // a place without results is refused before a browser asks
  const auto data = [&places] { return report_data(documents_in(places), kRefreshSeconds); };
  serve_pages(
      {{.path = "/", .type = "text/html; charset=utf-8", .body = [&] { return html_page(data()); }},
       {.path = "/data.json", .type = "application/json", .body = [&] { return to_json(data()); }}},
      {.port = arguments.port,
       .on_ready =
           [](int port) {
             fmt::print("report: http://127.0.0.1:{}/ (Ctrl-C ends it)\n", port);
             std::fflush(stdout);
           },
       .should_stop = [] { return interruption_code().has_value(); }});
  return kDone;
}

/// What is printed of one search, or of two.
std::string text_of(const std::vector<ResultsDocument>& documents, const std::string& format) {
  const ResultsDocument& first = documents.front();
  if (documents.size() > 1) {
    if (format == "json") return to_json(report_data(documents), 1) + "\n";
    if (format == "text") return comparison_text(first, documents.back());
    throw InvalidInput(
        fmt::format("report: --compare has no format '{}', expected text or json", format));
  }
  if (format == "json") return to_json(to_value(first), 1) + "\n";
  if (format == "csv") return trials_csv(first);
  if (format == "markdown") return markdown_report(first);
  return report_text(first, columns_at(STDOUT_FILENO));
}

int run_report(const ReportArguments& arguments) {
  require_a_place(arguments);
  if (arguments.serve) return serve(arguments);
  std::vector<ResultsPlace> places = places_of(arguments);
  const std::vector<ResultsDocument> documents = documents_in(places);
  if (!arguments.html.empty())
    write_file_atomically(arguments.html, html_page(report_data(documents)));
  if (arguments.format == "csv" && !arguments.json && documents.size() == 1) {
    if (const auto all = places.front().all_trials(documents.front())) {
      write_trials_csv(documents.front(), *all, [](std::string_view line) {
        std::fwrite(line.data(), 1, line.size(), stdout);
      });
      return kDone;
    }
  }
  const std::string text = text_of(documents, arguments.json ? "json" : arguments.format);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return kDone;
}

}  // namespace

void add_report_command(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<ReportArguments>();
  CLI::App* command = app.add_subcommand("report", "Show what a search has found, or is finding");
  command
      ->add_option("PLACE", arguments->place,
                   "Output folder of a search, its study.db, or postgresql://user@host/database")
      ->group(kInputGroup);
  command->add_option("--study", arguments->study, "Name of the study, where there are several")
      ->option_text("NAME")
      ->default_str("the only one")
      ->group(kInputGroup);
  command
      ->add_option("--compare", arguments->compare, "Set the searches of two places side by side")
      ->option_text("PLACE PLACE")
      ->expected(2)
      ->group(kInputGroup);
  command->add_option("--html", arguments->html, "Write a page with charts to this file too")
      ->option_text("FILE")
      ->default_str("none")
      ->group(kOutputGroup);
  command->add_option("--format", arguments->format, "text, json, csv or markdown")
      ->option_text("FORMAT")
      ->default_str("text")
      ->check(CLI::IsMember({"text", "json", "csv", "markdown"}))
      ->group(kOutputGroup);
  command->add_flag("--json", arguments->json, "The same as --format json")->group(kMessageGroup);
  CLI::Option* const serve =
      command
          ->add_flag("--serve", arguments->serve,
                     "Serve the page to browsers of this machine; it follows a search that runs")
          ->group(kOutputGroup);
  command->add_option("--port", arguments->port, "Port of --serve; 0: any free one")
      ->option_text("N")
      ->default_str("8642")
      ->check(CLI::Range(0, 65535))
      ->needs(serve)
      ->group(kOutputGroup);
  command->callback([arguments, &run] { run = [arguments] { return run_report(*arguments); }; });
}

}  // namespace quantsearch::cli
