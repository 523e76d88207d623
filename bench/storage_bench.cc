// Measures the cost of a store: the milliseconds to begin and save a trial of five parameters on
// disk, and the time to load ten thousand of them. `storage_bench [FOLDER | postgresql://...]`;
// FOLDER selects the disk that is measured. `storage_bench postgresql://... --connections 64 10000`
// has as many workers begin and save so many trials of one study, and shows trials per second.

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "quantsearch/internal/base/files.h"
#include "quantsearch/internal/base/stopwatch.h"
#include "quantsearch/storage.h"

namespace quantsearch {
namespace {

StudyDescription description(const std::string& name) {
  using Choices = std::vector<Value>;
  return {.name = name,
          .distributions = {{"method", Choices{"MinMax", "Percentile", "MinMSE", "Entropy"}},
                            {"per_channel", Choices{true, false}},
                            {"joint", Choices{Value::List{100, 0.1}, Value::List{1000, 0.01}}},
                            {"percentile", FloatRange{.low = 99, .high = 100}},
                            {"iterations", IntRange{.low = 1, .high = 10'000, .log = true}}}};
}

Trial trial_of(std::int64_t number) {
  Trial trial;
  trial.number = number;
  trial.state = TrialState::complete;
  trial.point = {{"method", "MinMSE"},
                 {"per_channel", number % 2 == 0},
                 {"joint", Value::List{100, 0.1}},
                 {"percentile", 99 + static_cast<double>(number % 1000) / 1000},
                 {"iterations", 1 + number % 9999}};
  trial.value = 1.0 / static_cast<double>(number + 1);
  trial.seconds = 1.25;
  trial.details =
      Value::Map{{"scores", Value::Map{{"L2", 0.25}, {"top1", 0.75}}}, {"size_bytes", 1'234'567}};
  return trial;
}

void report(const std::string& what, std::vector<double> milliseconds) {
  std::ranges::sort(milliseconds);
  double sum = 0;
  for (const double one : milliseconds) sum += one;
  fmt::print("{}: mean {:.3f} ms, median {:.3f} ms, 99 % {:.3f} ms\n", what,
             sum / static_cast<double>(milliseconds.size()), milliseconds[milliseconds.size() / 2],
             milliseconds[milliseconds.size() * 99 / 100]);
}

void measure(const std::string& where, std::int64_t trials) {
  const bool is_server = where.starts_with("postgres");
  const std::string name =
      fmt::format("bench {}", std::chrono::system_clock::now().time_since_epoch().count());
  const auto open = [&] {
    return is_server ? postgresql_store(where, description(name))
                     : sqlite_store(where, description(name));
  };
  std::vector<double> each;
  {
    const auto store = open();
    for (std::int64_t number = 0; number < trials; ++number) {
      const Trial trial = trial_of(number);
      const Stopwatch watch;
      store->start(trial);
      store->save(trial);
      each.push_back(1000 * watch.seconds());
    }
  }
  report(fmt::format("start and save, {} trials", trials), each);

  const Stopwatch opening;
  const auto store = open();
  fmt::print("open: {:.1f} ms\n", 1000 * opening.seconds());
  const Stopwatch loading;
  const std::size_t loaded = store->load().size();
  fmt::print("load {} trials: {:.1f} ms\n", loaded, 1000 * loading.seconds());
}

void measure_shared(const std::string& where, std::int64_t trials) {
  const bool is_server = where.starts_with("postgres");
  const std::string name =
      fmt::format("bench shared {}", std::chrono::system_clock::now().time_since_epoch().count());
  const auto store = is_server ? shared_postgresql_store(where, description(name))
                               : shared_sqlite_store(where, description(name));
  std::vector<double> each;
  for (std::int64_t number = 0; number < trials; ++number) {
    Trial trial = trial_of(number);
    const Stopwatch watch;
    trial.number =
        store->begin([&](const auto&) { return std::optional(trial.point); }).value().number;
    store->save(trial);
    each.push_back(1000 * watch.seconds());
  }
  report(fmt::format("shared: begin and save, {} trials", trials), each);
}

/// Begins and saves trials through one connection until none are left, and returns the milliseconds
/// of each.
std::vector<double> work(const std::string& url, const std::string& name,
                         std::atomic<std::int64_t>& left) {
  const auto store = shared_postgresql_store(url, description(name));
  std::vector<double> each;
  for (std::int64_t next = left--; next > 0; next = left--) {
    Trial finished = trial_of(next);
    const Stopwatch watch;
    const auto propose = [&](const SharedStudyStore::News&) {
      return std::optional(finished.point);
    };
    finished.number = store->begin(propose).value().number;
    store->save(finished);
    each.push_back(1000 * watch.seconds());
  }
  return each;
}

void measure_connections(const std::string& url, int connections, std::int64_t trials) {
  const std::string name =
      fmt::format("bench many {}", std::chrono::system_clock::now().time_since_epoch().count());
  (void)shared_postgresql_store(url, description(name));  // creates the study
  std::atomic<std::int64_t> left = trials;
  std::vector<std::vector<double>> each(static_cast<std::size_t>(connections));
  const Stopwatch watch;
  {
    std::vector<std::jthread> workers;
    for (std::vector<double>& own : each)
      workers.emplace_back([&own, &url, &name, &left] { own = work(url, name, left); });
  }
  const double seconds = watch.seconds();
  std::vector<double> all;
  for (const std::vector<double>& own : each) all.insert(all.end(), own.begin(), own.end());
  report(fmt::format("{} connections: begin and save", connections), all);
  fmt::print("{} connections: {:.0f} trials/s\n", connections,
             static_cast<double>(trials) / seconds);
}

}  // namespace
}  // namespace quantsearch

int main(int count, char** arguments) {
  const std::string where = count > 1 ? arguments[1] : ".";
  if (count == 5 && std::string_view(arguments[2]) == "--connections") {
    quantsearch::measure_connections(where, std::stoi(arguments[3]), std::stol(arguments[4]));
    return 0;
  }
  if (where.starts_with("postgres")) {
    quantsearch::measure(where, 10'000);
    quantsearch::measure_shared(where, 2'000);
    return 0;
  }
  const quantsearch::TemporaryFolder folder(where);
  quantsearch::measure((folder.path() / "study.db").string(), 10'000);
  quantsearch::measure_shared((folder.path() / "shared.db").string(), 2'000);
  return 0;
}
