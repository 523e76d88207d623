#include "autosearch/early_observation.h"

#include <exception>
#include <thread>
#include <variant>

namespace quantsearch {

namespace {

/// False where a trial would use more threads than this observation does, where trials run in other
/// processes or may have run already, and where the latency of the float model is measured, which
/// needs the processor for itself.
bool observes_early(const Setup& setup) {
  const SearchEnvironment& environment = setup.environment;
  const int threads = environment.pool->threads();
  const bool is_here = !environment.remote && !needs_workers(setup.config.execution);
  return is_here && !environment.resume && threads > 1 && setup.config.execution.jobs >= threads &&
         !SearchGoals::needs_latency(setup.config.goals);
}

Settings first_settings(const Setup& setup, const SearchPlan& plan) {
  const std::variant<Point, Rejected> first = plan.normalize(plan.space.at(0));
  const Point* const point = std::get_if<Point>(&first);
  return settings_of(setup.config.base, point == nullptr ? Point{} : *point);
}

/// A failure is left to the trial that meets it again.
void observe(const Setup& setup, const QuantizationConfig& config, const CancellationToken& token) {
  try {
    ThreadPool pool(1);
    setup.pipeline->calibrate(config, token, pool);
  } catch (const std::exception&) {
    return;
  }
}

}  // namespace

Baseline measure_baseline_beside_observation(const Setup& setup, const SearchPlan& plan) {
  if (!observes_early(setup)) return measure_baseline(setup);
  const CancellationToken token = setup.environment.token.child();
  const QuantizationConfig config = resolve(first_settings(setup, plan));
  const std::jthread observer([&] { observe(setup, config, token); });
  try {
    return measure_baseline(setup);
  } catch (...) {
    token.cancel();
    throw;
  }
}

}  // namespace quantsearch
