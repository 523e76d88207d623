// Measures the hypervolume that the optimizers reach on functions with several objectives: the
// median over the seeds of its share of the box between ideal and reference point (larger is
// better).
//   pareto_bench [--optimizers nsga,tpe:candidates=64] [--problems zdt1,osy] [--seeds 21]
//                [--trials 1000] [--workers 1]
// Options of an optimizer follow its name, joined by "+". bench/samplers/pareto_peers.py does the
// same with Optuna.

#include <fmt/core.h>

#include <algorithm>
#include <deque>

#include "guarded_main.h"
#include "multi_problems.h"
#include "optimizers.h"
#include "optimizers/pareto/hypervolume.h"
#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

const std::vector<std::size_t> kMoments = {100, 200, 500, 1000};

struct Settings {
  std::vector<std::string> optimizers = {"random", "nsga"};
  std::vector<std::string> problems = {};
  int seeds = 21;
  std::int64_t trials = 1000;
  std::int64_t workers = 1;
};

Settings parse(const std::vector<std::string>& arguments) {
  Settings settings;
  for (const MultiProblem& problem : multi_problems()) settings.problems.push_back(problem.name);
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    const std::string& name = arguments[i];
    const std::string value = i + 1 < arguments.size() ? arguments[i + 1] : "";
    if (name == "--optimizers" && !value.empty())
      settings.optimizers = split_names(value);
    else if (name == "--problems" && !value.empty())
      settings.problems = split_names(value);
    else if (name == "--seeds" && !value.empty())
      settings.seeds = std::stoi(value);
    else if (name == "--trials" && !value.empty())
      settings.trials = std::stoll(value);
    else if (name == "--workers" && !value.empty())
      settings.workers = std::stoll(value);
    else
      throw InvalidInput(fmt::format("'{}' is unknown or lacks its value", name));
  }
  return settings;
}

/// Returns the hypervolume of the feasible trials after each number of trials in kMoments, as a
/// share of the box.
std::vector<double> run(const MultiProblem& problem, const std::string& name,
                        const Settings& settings, int seed) {
  const std::size_t objectives = problem.reference.size();
  const auto optimizer = make_optimizer(name, problem.domain,
                                        {.seed = static_cast<std::uint64_t>(seed),
                                         .objectives = objectives,
                                         .budget = settings.trials,
                                         .workers = settings.workers});
  std::vector<double> shares;
  std::vector<Losses> feasible;
  std::deque<Pending> pending;
  std::int64_t number = 0;
  for (std::size_t told = 1; told <= static_cast<std::size_t>(settings.trials); ++told) {
    while (number < settings.trials && std::ssize(pending) < settings.workers) {
      const std::vector<Pending> running(pending.begin(), pending.end());
      const auto point = optimizer->ask(number, running);
      if (!point) throw InternalError("no point is left in " + problem.name);
      pending.push_back({.number = number++, .at = *point});
    }
    const Pending done = pending.front();
    pending.pop_front();
    const MultiValues values = problem.values(done.at);
    optimizer->tell({.number = done.number,
                     .at = done.at,
                     .objectives = values.objectives,
                     .constraints = values.constraints});
    if (violation_of(values.constraints) == 0) feasible.push_back(values.objectives);
    if (std::ranges::find(kMoments, told) == kMoments.end()) continue;
    double volume = 1;
    for (std::size_t i = 0; i < objectives; ++i) volume *= problem.reference[i] - problem.ideal[i];
    shares.push_back(hypervolume(feasible, problem.reference) / volume);
  }
  return shares;
}

void compare(const Settings& settings) {
  const auto all = multi_problems();
  fmt::print("{:<8} {:<36} {:>8} {:>8} {:>8} {:>8}\n", "problem", "optimizer", 100, 200, 500, 1000);
  for (const std::string& name : settings.problems) {
    const auto problem = std::ranges::find(all, name, &MultiProblem::name);
    if (problem == all.end()) throw InvalidInput(fmt::format("problem '{}' is unknown", name));
    for (const std::string& optimizer : settings.optimizers) {
      std::vector<std::vector<double>> at_moment(kMoments.size());
      for (int seed = 0; seed < settings.seeds; ++seed) {
        const auto shares = run(*problem, optimizer, settings, seed);
        for (std::size_t i = 0; i < shares.size(); ++i) at_moment[i].push_back(shares[i]);
      }
      fmt::print("{:<8} {:<36}", name, optimizer);
      for (auto& shares : at_moment) {
        if (shares.empty()) continue;
        std::ranges::sort(shares);
        fmt::print(" {:>8.4f}", (shares[shares.size() / 2] + shares[(shares.size() - 1) / 2]) / 2);
      }
      fmt::print("\n");
      std::fflush(stdout);
    }
  }
}

}  // namespace
}  // namespace quantsearch

int main(int argc, char** argv) {
  return quantsearch::bench::guarded_main("pareto_bench", [&] {
    quantsearch::compare(quantsearch::parse({argv + 1, argv + argc}));
    return 0;
  });
}
