#include "async_run.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <thread>

#include "optimizers.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/random.h"
#include "scale/event_queue.h"

namespace quantsearch {

namespace {

/// Returns the duration of a trial: log-normal around 1 with a deviation of a factor of 1.65.
double duration_of(std::int64_t trial, int seed) {
  RandomStream random(static_cast<std::uint64_t>(seed), trial, "duration");
  return std::exp(0.5 * random.normal());
}

}  // namespace

std::vector<double> best_so_far(const Problem& problem, const AsyncRun& run) {
  const auto optimizer = make_optimizer(
      run.optimizer, problem.domain,
      {.seed = static_cast<std::uint64_t>(run.seed), .budget = run.trials, .workers = run.workers});
  std::vector<double> best;
  std::vector<Pending> pending;
  std::int64_t begun = 0;
  double lowest = std::numeric_limits<double>::infinity();
  EventQueue<Pending> ends;
  while (std::ssize(best) < run.trials) {
    while (begun < run.trials && std::ssize(pending) < run.workers) {
      const auto point = optimizer->ask(begun, pending);
      if (!point) throw InternalError("no point is left in " + problem.name);
      pending.push_back({.number = begun, .at = *point});
      ends.add(ends.now() + duration_of(begun, run.seed), pending.back());
      ++begun;
    }
    const Pending done = ends.next();
    std::erase_if(pending, [&](const Pending& one) { return one.number == done.number; });
    const double value = problem.value(done.at);
    optimizer->tell({.number = done.number, .at = done.at, .objectives = {value}});
    lowest = std::min(lowest, value);
    best.push_back(lowest);
  }
  return best;
}

std::vector<std::vector<double>> best_of_seeds(const Problem& problem, const AsyncRun& run,
                                               int seeds, int threads) {
  std::vector<std::vector<double>> runs(static_cast<std::size_t>(seeds));
  std::atomic<int> next = 0;
  const auto work = [&] {
    for (int i = next++; i < seeds; i = next++) {
      AsyncRun own = run;
      own.seed += i;
      runs[static_cast<std::size_t>(i)] = best_so_far(problem, own);
    }
  };
  std::vector<std::jthread> others;
  for (int thread = 1; thread < threads; ++thread) others.emplace_back(work);
  work();
  others.clear();
  return runs;
}

double quantile_at(const std::vector<std::vector<double>>& runs, std::size_t trials,
                   double quantile) {
  std::vector<double> values;
  for (const auto& best : runs) {
    if (best.size() < trials) return std::numeric_limits<double>::quiet_NaN();
    values.push_back(best[trials - 1]);
  }
  std::ranges::sort(values);
  const double place = quantile * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return std::lerp(values[below], values[above], place - static_cast<double>(below));
}

Problem problem_named(const std::string& name) {
  for (Problem& problem : sampler_problems()) {
    if (problem.name == name) return std::move(problem);
  }
  throw InvalidInput(fmt::format("problem '{}' is unknown", name));
}

}  // namespace quantsearch
