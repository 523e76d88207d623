// Simulates a search on many machines (cluster.h) with a real sampler: how long it takes, what is
// wasted, and what the database and the lock of the study have to do.
//   scale_bench [--workers 1,10,100,1000] [--per-node 1] [--trials-per-worker 20] [--trials N]
//               [--sampler tpe] [--times bench/scale/mobilenet_s_times.csv] [--factor 1]
//               [--cores 2] [--transaction-ms 0.3] [--row-us 1] [--round-trip-ms 0.5]
//               [--commit-ms 2] [--lease 60] [--ask-us A --ask-us-per-trial B --tell-us C]
//               [--longest-pause 4] [--failures-per-node-day F] [--repair 300] [--seed 0]
// Everything but the sampler's proposals is simulated, its time too, so that the table depends on
// the options alone. docs/scale.md says what the columns mean and where the defaults come from.

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>

#include "guarded_main.h"
#include "optimizers.h"
#include "quantsearch/base/error.h"
#include "scale/stage_space.h"

namespace quantsearch {
namespace {

/// Microseconds of the processor of an ask, of it for each finished trial, and of a tell.
struct SamplerCost {
  double ask_us = 0;
  double ask_us_per_trial = 0;
  double tell_us = 0;
};

/// Returns what `sampler_bench --overhead` shows in seven dimensions.
SamplerCost cost_of(const std::string& sampler) {
  if (sampler.starts_with("tpe")) return {.ask_us = 10, .ask_us_per_trial = 0.3, .tell_us = 2};
  if (sampler.starts_with("cma")) return {.ask_us = 5, .ask_us_per_trial = 0, .tell_us = 5};
  return {.ask_us = 2, .ask_us_per_trial = 0, .tell_us = 1};
}

struct Settings {
  std::vector<std::string> workers = {"1", "10", "100", "1000"};
  int per_node = 1;
  std::int64_t trials_per_worker = 20;
  std::int64_t trials = 0;  // 0: by worker
  std::string sampler = "tpe";
  std::string times = QUANTSEARCH_STAGE_TIMES;
  double factor = 1;
  double failures_per_node_day = 0;
  std::uint64_t seed = 0;
  ClusterOptions cluster = {};
};

Settings parse(const std::vector<std::string>& arguments) {
  std::map<std::string, std::string> given;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    if (i + 1 == arguments.size())
      throw InvalidInput(fmt::format("option '{}' lacks its value", arguments[i]));
    given[arguments[i]] = arguments[i + 1];
  }
  const auto take = [&given](const std::string& name, const auto& use) {
    const auto node = given.extract(name);
    if (node) use(node.mapped());
  };
  const auto number = [&](const std::string& name, auto& target, double unit = 1) {
    take(name, [&](const std::string& text) {
      target = static_cast<std::remove_reference_t<decltype(target)>>(std::stod(text) * unit);
    });
  };
  Settings settings;
  ClusterOptions& cluster = settings.cluster;
  take("--sampler", [&](const std::string& text) { settings.sampler = split_names(text).front(); });
  const SamplerCost cost = cost_of(settings.sampler);
  cluster.ask_seconds = cost.ask_us * 1e-6;
  cluster.ask_seconds_per_trial = cost.ask_us_per_trial * 1e-6;
  cluster.tell_seconds = cost.tell_us * 1e-6;
  take("--workers", [&](const std::string& text) { settings.workers = split_names(text); });
  take("--times", [&](const std::string& text) { settings.times = text; });
  number("--per-node", settings.per_node);
  number("--trials-per-worker", settings.trials_per_worker);
  number("--trials", settings.trials);
  number("--factor", settings.factor);
  number("--failures-per-node-day", settings.failures_per_node_day);
  number("--seed", settings.seed);
  number("--cores", cluster.database_cores);
  number("--transaction-ms", cluster.transaction_seconds, 1e-3);
  number("--row-us", cluster.row_seconds, 1e-6);
  number("--round-trip-ms", cluster.round_trip_seconds, 1e-3);
  number("--commit-ms", cluster.commit_seconds, 1e-3);
  number("--lease", cluster.lease_seconds);
  number("--ask-us", cluster.ask_seconds, 1e-6);
  number("--ask-us-per-trial", cluster.ask_seconds_per_trial, 1e-6);
  number("--tell-us", cluster.tell_seconds, 1e-6);
  number("--repair", cluster.repair_seconds);
  number("--longest-pause", cluster.longest_pause_seconds);
  if (!given.empty())
    throw InvalidInput(fmt::format("option '{}' is unknown", given.begin()->first));
  return settings;
}

void print_row(int workers, std::int64_t trials, const ClusterOptions& options,
               const ClusterReport& report) {
  const double time = report.makespan;
  const double all = time * workers;
  const auto mean_ms = [](const QueueTotals& queue) {
    return 1e3 * queue.waiting_seconds /
           static_cast<double>(std::max<std::int64_t>(1, queue.requests));
  };
  fmt::print(
      "{:>7} {:>6} {:>7} {:>9.0f} {:>8.2f} {:>6.1f} {:>6.1f} {:>6.1f} {:>6} {:>8.1f} {:>6.1f} "
      "{:>9.1f} {:>6.1f} {:>9.1f} {:>9.3g}\n",
      workers, options.nodes, trials, time, static_cast<double>(report.finished) / time,
      100 * report.idle_seconds / all,
      100 * report.duplicate_seconds / std::max(1e-9, report.stage_seconds),
      100 * report.lost_seconds / all, report.taken_over,
      static_cast<double>(report.database.requests) / time,
      100 * report.database.busy_seconds / (time * options.database_cores),
      mean_ms(report.database), 100 * report.lock.busy_seconds / time, mean_ms(report.lock),
      report.best.value_or(0));
  std::fflush(stdout);
}

void simulate_all(const Settings& settings) {
  const StageSpace space(read_stage_times(settings.times), settings.factor);
  fmt::print(
      "{:>7} {:>6} {:>7} {:>9} {:>8} {:>6} {:>6} {:>6} {:>6} {:>8} {:>6} {:>9} {:>6} {:>9} "
      "{:>9}\n",
      "workers", "nodes", "trials", "seconds", "trials/s", "idle%", "twice%", "lost%", "taken",
      "trans/s", "db%", "db ms", "lock%", "lock ms", "best");
  for (const std::string& text : settings.workers) {
    const int workers = std::stoi(text);
    ClusterOptions options = settings.cluster;
    options.workers = std::min(workers, settings.per_node);
    options.nodes = (workers + options.workers - 1) / options.workers;
    options.trials = settings.trials > 0 ? settings.trials : settings.trials_per_worker * workers;
    if (settings.failures_per_node_day > 0) {
      constexpr double kDay = 86'400;
      options.failures = random_failures(options.nodes, kDay / settings.failures_per_node_day,
                                         30 * kDay, settings.seed);
    }
    const auto sampler =
        make_optimizer(settings.sampler, StageSpace::domain(),
                       {.seed = settings.seed, .budget = options.trials, .workers = workers});
    print_row(options.nodes * options.workers, options.trials, options,
              simulate(*sampler, space, options));
  }
}

}  // namespace
}  // namespace quantsearch

int main(int argc, char** argv) {
  return quantsearch::bench::guarded_main("scale_bench", [&] {
    quantsearch::simulate_all(quantsearch::parse({argv + 1, argv + argc}));
    return 0;
  });
}
