// Measures the quality of the optimizers on cheap functions, compared with the results of other
// optimizers, and the time of the optimizers themselves.
//   sampler_bench [--optimizers random,tpe:candidates=64] [--problems branin,quant15] [--seeds 21]
//                 [--first-seed 0] [--threads 1] [--trials 200]
//   sampler_bench --overhead [--optimizers tpe,qmc]
// Options of an optimizer follow its name, joined by "+": "tpe:candidates=64+multivariate=0".

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "async_run.h"
#include "guarded_main.h"
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
      throw InvalidInput(fmt::format("option '{}' is unknown or lacks its value", name));
    const std::string& value = arguments[++i];
    if (name == "--optimizers")
      settings.optimizers = split_names(value);
    else if (name == "--problems")
      settings.problems = split_names(value);
    else if (name == "--seeds")
      settings.seeds = std::stoi(value);
    else if (name == "--first-seed")
      settings.first_seed = std::stoi(value);
    else if (name == "--threads")
      settings.threads = std::stoi(value);
    else if (name == "--trials")
      settings.trials = std::stoll(value);
    else
      throw InvalidInput(fmt::format("option '{}' is unknown", name));
  }
  return settings;
}

std::string text(double value) { return std::isnan(value) ? "-" : fmt::format("{:.3g}", value); }

void print_row(const std::string& problem, const std::string& name, double at_50, double at_100,
               double at_200) {
  fmt::print("{:<10} {:<44} {:>9} {:>9} {:>9}\n", problem, name, text(at_50), text(at_100),
             text(at_200));
  std::fflush(stdout);
}

void compare(const Settings& settings) {
  print_row("problem", "median best after 50, 100, 200 trials", 50, 100, 200);
  for (const std::string& name : settings.problems) {
    const Problem problem = problem_named(name);
    for (const std::string& optimizer : settings.optimizers) {
      const AsyncRun run{
          .optimizer = optimizer, .trials = settings.trials, .seed = settings.first_seed};
      const auto runs = best_of_seeds(problem, run, settings.seeds, settings.threads);
      print_row(name, optimizer, quantile_at(runs, 50, 0.5), quantile_at(runs, 100, 0.5),
                quantile_at(runs, 200, 0.5));
    }
    for (const PeerFigures& peer : problem.peers) {
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
  return quantsearch::bench::guarded_main("sampler_bench", [&] {
    const auto settings = quantsearch::parse({argv + 1, argv + argc});
    if (settings.overhead)
      quantsearch::print_overheads(settings.optimizers);
    else
      quantsearch::compare(settings);
    return 0;
  });
}
