// Measures a study of many trials: seconds, processor time and peak memory to open it, to report
// it, to resume its search and to take part in it. Each step runs in a process of its own, whose
// peak the system tells. `large_study_bench (FOLDER | postgresql://...) [TRIALS]` first writes the
// study (1,000,000 trials without TRIALS), into a new file in FOLDER. It stays there, and another
// call goes on with it.

#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "guarded_main.h"
#include "quantsearch/internal/base/stopwatch.h"
#include "quantsearch/report.h"
#include "quantsearch/search/kept_trials.h"
#include "quantsearch/search/study.h"
#include "quantsearch/storage.h"
#include "storage/database.h"
#include "storage/study_table.h"
#include "storage/trial_writer.h"
#include "stored_trials.h"

namespace quantsearch {
namespace {

const std::string kStudy = "large";

/// 16 million points, in the distributions of the study.
Space space() {
  std::vector<Value> percentiles;
  std::vector<Value> iterations;
  for (int i = 0; i < 1000; ++i) {
    percentiles.emplace_back(99 + i / 1000.0);
    iterations.emplace_back(1 + i);
  }
  return Space({{.name = "percentile", .choices = percentiles},
                {.name = "iterations", .choices = iterations},
                {.name = "method", .choices = {"MinMax", "Percentile", "MinMSE", "Entropy"}},
                {.name = "per_channel", .choices = {true, false}},
                {.name = "joint", .choices = {Value::List{100, 0.1}, Value::List{1000, 0.01}}}});
}

/// What a grid proposes first, so that the search can be resumed.
std::unique_ptr<Sampler> sampler() {
  return grid_sampler(
      space(), [](const Point& point) { return point; }, [](const Point&) { return Expected(); });
}

double value_of(std::int64_t number) {
  return static_cast<double>(number * 7919 % 1'000'003) / 1'000'003;
}

void write_study(const std::string& where, std::int64_t trials) {
  constexpr std::int64_t kAtOnce = 1000;
  const auto database = is_postgresql_url(where) ? open_postgresql(where)
                                                 : open_sqlite(where, Database::Access::write);
  const StudyDescription description = bench::description(kStudy);
  TrialWriter writer(*database, open_study(*database, description, Database::Use::alone),
                     description);
  database->set_durable(false);
  const auto points = sampler();
  for (std::int64_t number = 0; number < trials;) {
    Transaction transaction(*database, Database::Access::write);
    for (const std::int64_t end = std::min(trials, number + kAtOnce); number < end; ++number) {
      Trial trial = bench::trial_of(number);
      trial.point = points->ask().value();
      trial.value = value_of(number);
      trial.is_candidate = *trial.value < 0.1;
      writer.finish(writer.add(trial), trial);
    }
    transaction.commit();
  }
}

bool is_written(const std::string& where) {
  if (!is_postgresql_url(where) && !std::filesystem::exists(where)) return false;
  try {
    return !list_studies(where).empty();
  } catch (const InvalidInput&) {
    return false;  // a server without the tables
  }
}

std::unique_ptr<StudyStore> store_in(const std::string& where) {
  const StudyDescription description = bench::description(kStudy);
  return is_postgresql_url(where) ? postgresql_store(where, description)
                                  : sqlite_store(where, description);
}

void open(const std::string& where) { (void)store_in(where); }

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// Ten more trials than the study has, with a second record of the earlier ones, as the search of a
/// model has it.
template <typename Search>
void go_on(const std::string& where, const Search& search) {
  const auto asked = sampler();
  const Objective objective = [](const TrialRequest& request) {
    return TrialSuccess{.value = value_of(request.number), .details = {}};
  };
  KeptTrials earlier(Goal::minimize, {Goal::minimize});
  SearchOptions options;
  options.stop.iteration_limit = list_studies(where).front().trials + 10;
  options.on_earlier = [&earlier](const Trial& trial) { earlier.add(trial); };
  double known = 0;
  std::optional<double> asking;
  options.on_earlier_end = [&known] { known = processor_seconds(); };
  options.on_start = [&](std::int64_t, const Point&) {
    if (!asking) asking = processor_seconds() - known;
  };
  const Study study = search(*asked, objective, options);
  fmt::print("  {}, {} trials kept, {:.1f} s to propose the first new one\n", study.stop_message,
             study.trials.size(), asking.value_or(0));
}

/// Repeats the trials of the study.
void resume(const std::string& where) {
  const auto store = store_in(where);
  go_on(where, [&store](Sampler& asked, const Objective& objective, const SearchOptions& options) {
    return optimize(asked, objective, options, *store);
  });
}

/// Takes part in the study as one of several processes.
void join(const std::string& where) {
  const StudyDescription description = bench::description(kStudy);
  const auto store = is_postgresql_url(where) ? shared_postgresql_store(where, description)
                                              : shared_sqlite_store(where, description);
  go_on(where, [&store](Sampler& asked, const Objective& objective, const SearchOptions& options) {
    return optimize_shared(asked, objective, options, *store);
  });
}

VisitTrials visit_in(const std::string& where) {
  return [where](const std::function<void(Trial &&)>& take) { visit_trials(where, kStudy, take); };
}

void report(const std::string& where, const std::string& format) {
  const ResultsDocument document = results_of(kStudy, "L2", {Goal::minimize}, visit_in(where));
  std::size_t bytes = 0;
  if (format == "json") bytes = to_json(to_value(document), 1).size();
  if (format == "html") bytes = html_report(document).size();
  if (format == "markdown") bytes = markdown_report(document).size();
  if (format == "text") bytes = report_text(document).size();
  if (format == "csv") {
    write_trials_csv(document, visit_in(where),
                     [&bytes](std::string_view line) { bytes += line.size(); });
  }
  fmt::print("  {:.1f} MB, {} of {} trials\n", static_cast<double>(bytes) / 1e6,
             document.trials.size(), document.trial_count());
}

/// What a page that is served reads and makes first, and when it is asked for again.
void follow(const std::string& where) {
  FollowedStudy study(where, kStudy);
  TrialsSoFar trials(Goal::minimize, {Goal::minimize});
  for (const char* time : {"first", "again"}) {
    const double start = processor_seconds();
    trials.running = study.read([] {}, [&trials](Trial&& trial) { trials.add(std::move(trial)); });
    const double is_read = processor_seconds();
    const ResultsDocument document = results_of(kStudy, "L2", {Goal::minimize}, trials);
    const std::string data = to_json(report_data(std::span(&document, 1)));
    fmt::print("  {}: {:.3f} s to read, {:.3f} s to make {:.1f} MB\n", time, is_read - start,
               processor_seconds() - is_read, static_cast<double>(data.size()) / 1e6);
  }
}

/// Runs a step in a process of its own, so that its peak of memory is its own.
void measure(const std::string& name, const std::function<void()>& step) {
  const Stopwatch watch;
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    int code = 0;
    try {
      step();
    } catch (const std::exception& error) {
      fmt::print(stderr, "{}: {}\n", name, error.what());
      code = 1;
    }
    std::fflush(stdout);
    ::_exit(code);
  }
  int status = 0;
  rusage usage{};
  ::wait4(child, &status, 0, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  fmt::print("{}: {:.1f} s, {:.1f} s of processor time, peak {:.0f} MB{}\n", name, watch.seconds(),
             seconds(usage.ru_utime) + seconds(usage.ru_stime),
             static_cast<double>(usage.ru_maxrss) / 1e3, status == 0 ? "" : " (failed)");
}

void measure_all(std::string where, std::int64_t trials) {
  if (!is_postgresql_url(where)) where = (std::filesystem::path(where) / "study.db").string();
  if (!is_written(where)) measure("write", [&] { write_study(where, trials); });
  measure("open", [&] { open(where); });
  for (const char* format : {"text", "json", "html", "markdown", "csv"})
    measure(std::string("report ") + format, [&] { report(where, format); });
  measure("report --serve", [&] { follow(where); });
  measure("resume", [&] { resume(where); });
  measure("join", [&] { join(where); });
}

}  // namespace
}  // namespace quantsearch

int main(int count, char** arguments) {
  if (count < 2 || count > 3) {
    fmt::print(stderr, "usage: large_study_bench (FOLDER | postgresql://...) [TRIALS]\n");
    return 2;
  }
  return quantsearch::bench::guarded_main("large_study_bench", [&] {
    quantsearch::measure_all(arguments[1], count > 2 ? std::stol(arguments[2]) : 1'000'000);
    return 0;
  });
}
