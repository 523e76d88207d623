// Measures what a shared study costs its server: workers of one process, each with a connection of
// its own, begin and save trials of one study and do nothing else.
// `shared_store_bench postgresql://... [CONNECTIONS TRIALS]` shows the trials per second, and the
// processor time of a trial in the server (which has to run on this machine) and in the workers.
// The processor time hardly depends on what else the machine does.

#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "guarded_main.h"
#include "quantsearch/internal/base/stopwatch.h"
#include "quantsearch/storage.h"
#include "storage/database.h"
#include "stored_trials.h"

namespace quantsearch {
namespace {

/// User and system time of a process; 0 when it has ended.
double processor_seconds(std::int64_t process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::string text;
  std::getline(file, text);
  // The name of the program, in parentheses, may contain spaces. The times are the fields 14, 15.
  std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  std::string field;
  for (int number = 3; number < 14; ++number) fields >> field;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// Processor time that the server has used so far, by process.
std::map<std::int64_t, double> server_seconds(Database& database) {
  std::map<std::int64_t, double> seconds;
  database.run("SELECT pid FROM pg_stat_activity", {}, [&](const Row& row) {
    const std::int64_t process = integer_in(row[0]);
    seconds.emplace(process, processor_seconds(process));
  });
  return seconds;
}

double own_seconds() {
  rusage usage{};
  (void)::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Begins and saves trials until none are left, and returns the milliseconds of each.
std::vector<double> work(SharedStudyStore& store, std::atomic<std::int64_t>& left) {
  std::vector<double> each;
  for (std::int64_t next = left--; next > 0; next = left--) {
    Trial finished = bench::trial_of(next);
    const Stopwatch watch;
    const auto propose = [&](const SharedStudyStore::News&) {
      return std::optional(finished.point);
    };
    finished.number = store.begin(propose).value().number;
    store.save(finished);
    each.push_back(1000 * watch.seconds());
  }
  return each;
}

void measure(const std::string& url, int connections, std::int64_t trials) {
  const std::string name =
      fmt::format("bench {}", std::chrono::system_clock::now().time_since_epoch().count());
  std::vector<std::unique_ptr<SharedStudyStore>> stores;
  for (int i = 0; i < connections; ++i)
    stores.push_back(shared_postgresql_store(url, bench::description(name)));
  const auto database = open_postgresql(url);
  const std::map<std::int64_t, double> before = server_seconds(*database);
  const double own_before = own_seconds();
  std::atomic<std::int64_t> left = trials;
  std::vector<std::vector<double>> each(stores.size());
  const Stopwatch watch;
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < stores.size(); ++i)
      workers.emplace_back([&, i] { each[i] = work(*stores[i], left); });
  }
  const double seconds = watch.seconds();
  const double own = own_seconds() - own_before;
  double server = 0;
  for (const auto& [process, used] : server_seconds(*database)) {
    const auto earlier = before.find(process);
    server += used - (earlier == before.end() ? 0 : earlier->second);
  }
  std::vector<double> all;
  for (const std::vector<double>& one : each) all.insert(all.end(), one.begin(), one.end());
  std::ranges::sort(all);
  const auto count = static_cast<double>(trials);
  fmt::print(
      "{} connections, {} trials: {:.0f} trials/s; begin and save: median {:.1f} ms, 99 % {:.1f} "
      "ms\n",
      connections, trials, count / seconds, all[all.size() / 2], all[all.size() * 99 / 100]);
  fmt::print("processor time of a trial: server {:.3f} ms, workers {:.3f} ms\n",
             1000 * server / count, 1000 * own / count);
}

}  // namespace
}  // namespace quantsearch

int main(int count, char** arguments) {
  if (count != 2 && count != 4) {
    fmt::print(stderr, "usage: shared_store_bench postgresql://... [CONNECTIONS TRIALS]\n");
    return 2;
  }
  return quantsearch::bench::guarded_main("shared_store_bench", [&] {
    const int connections = count == 4 ? std::stoi(arguments[2]) : 64;
    quantsearch::measure(arguments[1], connections, count == 4 ? std::stol(arguments[3]) : 10'000);
    return 0;
  });
}
