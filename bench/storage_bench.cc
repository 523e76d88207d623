// Measures the cost of a store: the milliseconds to begin and save a trial of five parameters on
// disk, and the time to load ten thousand of them. `storage_bench [FOLDER | postgresql://...]`;
// FOLDER selects the disk that is measured. shared_store_bench measures many workers of one study.

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "guarded_main.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/internal/base/stopwatch.h"
#include "quantsearch/storage.h"
#include "stored_trials.h"

namespace quantsearch {
namespace {

using bench::description;
using bench::trial_of;

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

}  // namespace
}  // namespace quantsearch

int main(int count, char** arguments) {
  return quantsearch::bench::guarded_main("storage_bench", [&] {
    const std::string where = count > 1 ? arguments[1] : ".";
    if (where.starts_with("postgres")) {
      quantsearch::measure(where, 10'000);
      quantsearch::measure_shared(where, 2'000);
      return 0;
    }
    const quantsearch::TemporaryFolder folder(where);
    quantsearch::measure((folder.path() / "study.db").string(), 10'000);
    quantsearch::measure_shared((folder.path() / "shared.db").string(), 2'000);
    return 0;
  });
}
