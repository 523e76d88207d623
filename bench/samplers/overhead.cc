#include "overhead.h"

#include <fmt/core.h>
#include <time.h>

#include <algorithm>

#include "optimizers.h"
#include "problems.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

struct Case {
  std::string optimizer;
  std::int64_t trials = 0;
  std::size_t dimensions = 0;
  std::size_t objectives = 1;
  double target_us = 0;
  double optuna_us = 0;  // Optuna 5 on a similar machine; 0: not measured
};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      {"random", 10'000, 5, 1, 5, 120},   {"qmc", 10'000, 5, 1, 5, 270},
      {"tpe", 100, 5, 1, 50, 1600},       {"tpe", 1000, 5, 1, 0, 5800},
      {"tpe", 1000, 20, 1, 1000, 55'000}, {"tpe", 5000, 5, 1, 2000, 87'000},
      {"tpe", 1000, 5, 2, 3000, 20'000},  {"cma", 10'000, 5, 1, 0, 800},
      {"cma", 10'000, 20, 1, 20, 1100},   {"gp", 100, 5, 1, 10'000, 84'000},
      {"gp", 250, 5, 1, 50'000, 288'000}, {"nsga", 1000, 5, 2, 20, 500},
      {"auto", 200, 5, 1, 0, 0},
  };
  return kCases;
}

/// Returns the processor time of this thread, so that other processes do not count.
double now_us() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return 1e6 * static_cast<double>(time.tv_sec) + 1e-3 * static_cast<double>(time.tv_nsec);
}

/// The optimizer performs a real search, so that its observations are distributed as in use.
double measure_us(const Case& one, const std::string& name) {
  const auto optimizer =
      make_optimizer(name, sphere_domain(one.dimensions),
                     {.seed = 1, .objectives = one.objectives, .budget = one.trials});
  const std::int64_t timed = std::max<std::int64_t>(20, one.trials / 20);
  double spent_us = 0;
  for (std::int64_t number = 0; number < one.trials; ++number) {
    const double begin = now_us();
    const auto point = optimizer->ask(number, {});
    const double asked = now_us();
    if (!point) throw InternalError("a domain of real numbers ran out of points");
    const Observation observation{
        .number = number, .at = *point, .objectives = sphere_values(*point, one.objectives)};
    const double evaluated = now_us();
    optimizer->tell(observation);
    if (number >= one.trials - timed) spent_us += (asked - begin) + (now_us() - evaluated);
  }
  return spent_us / static_cast<double>(timed);
}

}  // namespace

void print_overheads(const std::vector<std::string>& optimizers) {
  fmt::print("{:<28} {:>7} {:>4} {:>5} {:>12} {:>10} {:>12}\n", "optimizer", "trials", "dims",
             "goals", "us per trial", "target us", "Optuna 5 us");
  for (const std::string& name : optimizers) {
    for (const Case& one : cases()) {
      if (one.optimizer != name.substr(0, name.find(':'))) continue;
      fmt::print("{:<28} {:>7} {:>4} {:>5} {:>12.2f} {:>10} {:>12}\n", name, one.trials,
                 one.dimensions, one.objectives, measure_us(one, name), one.target_us,
                 one.optuna_us);
    }
  }
}

}  // namespace quantsearch
