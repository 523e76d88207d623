// Measures what several workers lose in regret against one at the same number of trials, in
// simulated time (async_run.h).
//   regret_bench [--optimizers random,tpe,cma,gp] [--problems branin,hartmann6]
//                [--workers 1,4,16,64] [--seeds 21] [--first-seed 0] [--trials 200] [--threads 1]
// A row has the median and the quartiles over the seeds, the ratio of the median to that of the
// first number of workers, and the same ratio for a run of one worker that is as many trials behind
// as results are missing when the last trial is proposed ("delay"): what is lost even if each
// proposal were as good as that of one worker who knows the same results. "equals" is the number of
// trials after which the median of one worker is as low.
// bench/samplers/async_peers.py prints the same rows for Optuna's samplers.

#include <fmt/core.h>

#include <cstdio>

#include "async_run.h"
#include "guarded_main.h"
#include "optimizers.h"
#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

struct Settings {
  std::vector<std::string> optimizers = {"random", "tpe", "cma", "gp"};
  std::vector<std::string> problems = {"branin", "hartmann6", "ellips10", "quant15", "int10"};
  std::vector<std::string> workers = {"1", "4", "16", "64"};
  int seeds = 21;
  int first_seed = 0;
  int threads = 1;
  std::int64_t trials = 200;
};

Settings parse(const std::vector<std::string>& arguments) {
  Settings settings;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    const std::string& name = arguments[i];
    if (i + 1 == arguments.size())
      throw InvalidInput(fmt::format("option '{}' lacks its value", name));
    const std::string& value = arguments[i + 1];
    if (name == "--optimizers")
      settings.optimizers = split_names(value);
    else if (name == "--problems")
      settings.problems = split_names(value);
    else if (name == "--workers")
      settings.workers = split_names(value);
    else if (name == "--seeds")
      settings.seeds = std::stoi(value);
    else if (name == "--first-seed")
      settings.first_seed = std::stoi(value);
    else if (name == "--trials")
      settings.trials = std::stoll(value);
    else if (name == "--threads")
      settings.threads = std::stoi(value);
    else
      throw InvalidInput(fmt::format("option '{}' is unknown", name));
  }
  return settings;
}

/// Returns the number of trials after which the median of the runs is at most `value`; all of them
/// when it never is.
std::size_t trials_until(const std::vector<std::vector<double>>& runs, double value) {
  for (std::size_t trials = 1; trials < runs.front().size(); ++trials) {
    if (quantile_at(runs, trials, 0.5) <= value) return trials;
  }
  return runs.front().size();
}

void compare(const Settings& settings) {
  fmt::print("{:<10} {:<28} {:>7} {:>10} {:>10} {:>10} {:>7} {:>7} {:>7}\n", "problem", "optimizer",
             "workers", "lower", "median", "upper", "ratio", "delay", "equals");
  const auto count = static_cast<std::size_t>(settings.trials);
  for (const std::string& name : settings.problems) {
    const Problem problem = problem_named(name);
    for (const std::string& optimizer : settings.optimizers) {
      std::vector<std::vector<double>> first;
      for (const std::string& workers : settings.workers) {
        const AsyncRun run{.optimizer = optimizer,
                           .workers = std::stoi(workers),
                           .trials = settings.trials,
                           .seed = settings.first_seed};
        const auto runs = best_of_seeds(problem, run, settings.seeds, settings.threads);
        if (first.empty()) first = runs;
        const auto regret = [&](const auto& of, std::size_t trials, double quantile) {
          return quantile_at(of, trials, quantile) - problem.least;
        };
        const double median = regret(runs, count, 0.5);
        const double base = regret(first, count, 0.5);
        const auto missing = static_cast<std::size_t>(run.workers - 1);
        const double late = regret(first, count - std::min(count - 1, missing), 0.5);
        fmt::print("{:<10} {:<28} {:>7} {:>10.3g} {:>10.3g} {:>10.3g} {:>7.2f} {:>7.2f} {:>7}\n",
                   name, optimizer, workers, regret(runs, count, 0.25), median,
                   regret(runs, count, 0.75), median / base, late / base,
                   trials_until(first, quantile_at(runs, count, 0.5)));
        std::fflush(stdout);
      }
    }
  }
}

}  // namespace
}  // namespace quantsearch

int main(int argc, char** argv) {
  return quantsearch::bench::guarded_main("regret_bench", [&] {
    quantsearch::compare(quantsearch::parse({argv + 1, argv + argc}));
    return 0;
  });
}
