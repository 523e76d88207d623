// Measures the quality of the optimizers on cheap functions, compared with the results of other
// optimizers, and the time of the optimizers themselves.
//   sampler_bench [--optimizers random,tpe:candidates=64] [--problems branin,quant15] [--seeds 21]
//                 [--first-seed 0] [--workers 1] [--threads 1] [--trials 200]
//   sampler_bench --overhead [--optimizers tpe,qmc]
// Options of an optimizer follow its name, joined by "+": "tpe:candidates=64+multivariate=0".

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <deque>
#include <limits>
#include <thread>

#include "optimizers.h"
#include "overhead.h"
#include "problems.h"
#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

struct Settings {
  std::vector<std::string> optimizers = optimizer_names();
  std::vector<std::string> problems = {};
  int seeds = 21;
  int first_seed = 0;
  int workers = 1;
  int threads = 1;
  std::int64_t trials = 200;
  bool overhead = false;
};

Settings parse(const std::vector<std::string>& arguments) {
  Settings settings;
  for (const Problem& problem : sampler_problems()) settings.problems.push_back(problem.name);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    if (name == "--overhead") {
      settings.overhead = true;
      continue;
    }
    if (i + 1 == arguments.size())
      throw InvalidInput(
          fmt::format("sampler_bench: option '{}' is unknown or lacks its value", name));
    const std::string& value = arguments[++i];
    if (name == "--optimizers")
      settings.optimizers = split_names(value);
    else if (name == "--problems")
      settings.problems = split_names(value);
    else if (name == "--seeds")
      settings.seeds = std::stoi(value);
    else if (name == "--first-seed")
      settings.first_seed = std::stoi(value);
    else if (name == "--workers")
      settings.workers = std::stoi(value);
    else if (name == "--threads")
      settings.threads = std::stoi(value);
    else if (name == "--trials")
      settings.trials = std::stoll(value);
    else
      throw InvalidInput(fmt::format("sampler_bench: option '{}' is unknown", name));
  }
  return settings;
}

/// Returns the best value so far after each trial. `workers` points are pending when one is told,
/// and the oldest is told first.
std::vector<double> run(const Problem& problem, const std::string& optimizer_name,
                        const Settings& settings, int seed) {
  const auto optimizer = make_optimizer(optimizer_name, problem.domain,
                                        {.seed = static_cast<std::uint64_t>(seed),
                                         .budget = settings.trials,
                                         .workers = settings.workers});
  std::vector<double> best;
  std::deque<Pending> pending;
  std::int64_t number = 0;
  double lowest = std::numeric_limits<double>::infinity();
  const auto count = static_cast<std::size_t>(settings.trials);
  while (best.size() < count) {
    while (number < settings.trials && std::ssize(pending) < settings.workers) {
      const std::vector<Pending> running(pending.begin(), pending.end());
      const auto point = optimizer->ask(number, running);
      if (!point) throw InternalError("sampler_bench: no point is left in " + problem.name);
      pending.push_back({.number = number++, .at = *point});
    }
    const Pending done = pending.front();
    pending.pop_front();
    const double value = problem.value(done.at);
    optimizer->tell({.number = done.number, .at = done.at, .objectives = {value}});
    lowest = std::min(lowest, value);
    best.push_back(lowest);
  }
  return best;
}

/// Runs all seeds of one optimizer on one problem. The results do not depend on the number of
/// threads.
std::vector<std::vector<double>> run_seeds(const Problem& problem, const std::string& optimizer,
                                           const Settings& settings) {
  std::vector<std::vector<double>> runs(static_cast<std::size_t>(settings.seeds));
  std::atomic<int> next = 0;
  const auto work = [&] {
    for (int i = next++; i < settings.seeds; i = next++)
      runs[static_cast<std::size_t>(i)] =
          run(problem, optimizer, settings, settings.first_seed + i);
  };
  std::vector<std::jthread> threads;
  for (int thread = 1; thread < settings.threads; ++thread) threads.emplace_back(work);
  work();
  threads.clear();
  return runs;
}

/// Returns the median of the best value after `trials` trials; NaN when the runs were shorter.
double median_at(const std::vector<std::vector<double>>& runs, std::size_t trials) {
  std::vector<double> values;
  for (const auto& best : runs) {
    if (best.size() < trials) return std::numeric_limits<double>::quiet_NaN();
    values.push_back(best[trials - 1]);
  }
  std::ranges::sort(values);
  return (values[values.size() / 2] + values[(values.size() - 1) / 2]) / 2;
}

std::string text(double value) { return std::isnan(value) ? "-" : fmt::format("{:.3g}", value); }

void print_row(const std::string& problem, const std::string& name, double at_50, double at_100,
               double at_200) {
  fmt::print("{:<10} {:<44} {:>9} {:>9} {:>9}\n", problem, name, text(at_50), text(at_100),
             text(at_200));
  std::fflush(stdout);
}

void compare(const Settings& settings) {
  const std::vector<Problem> all = sampler_problems();
  print_row("problem", "median best after 50, 100, 200 trials", 50, 100, 200);
  for (const std::string& name : settings.problems) {
    const auto problem = std::ranges::find(all, name, &Problem::name);
    if (problem == all.end())
      throw InvalidInput(fmt::format("sampler_bench: problem '{}' is unknown", name));
    for (const std::string& optimizer : settings.optimizers) {
      const auto runs = run_seeds(*problem, optimizer, settings);
      print_row(name, optimizer, median_at(runs, 50), median_at(runs, 100), median_at(runs, 200));
    }
    for (const PeerFigures& peer : problem->peers) {
      const bool asked =
          std::ranges::any_of(settings.optimizers, [&](const std::string& optimizer) {
            const std::string ours = optimizer.substr(0, optimizer.find(':'));
            return ours == peer.optimizer || ours == "auto";
          });
      if (asked) print_row(name, "  (" + peer.peer + ")", peer.at_50, peer.at_100, peer.at_200);
    }
  }
}

}  // namespace
}  // namespace quantsearch

int main(int argc, char** argv) {
  try {
    const auto settings = quantsearch::parse({argv + 1, argv + argc});
    if (settings.overhead)
      quantsearch::print_overheads(settings.optimizers);
    else
      quantsearch::compare(settings);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
