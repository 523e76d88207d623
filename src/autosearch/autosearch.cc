// The steps of a search from its input to its output: prepare, plan, run, deliver.

#include "quantsearch/autosearch.h"

#include <fmt/core.h>

#include "autosearch/baseline_check.h"
#include "autosearch/early_observation.h"
#include "autosearch/fixed_input.h"
#include "autosearch/placing.h"
#include "autosearch/provenance.h"
#include "autosearch/search_run.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/internal/trials/worker_main.h"

namespace quantsearch {

namespace {

/// Runs `body` with an environment that has a pool.
template <typename Body>
auto with_pool(const SearchEnvironment& environment, const Body& body) {
  if (environment.pool != nullptr) return body(environment);
  ThreadPool pool;
  SearchEnvironment own = environment;
  own.pool = &pool;
  return body(own);
}

OutputFolder::Existing existing_search(const SearchEnvironment& environment) {
  if (environment.resume) return OutputFolder::Existing::resume;
  return environment.overwrite ? OutputFolder::Existing::overwrite : OutputFolder::Existing::refuse;
}

StudyDescription study_description(const Setup& setup, const SearchPlan& plan,
                                   const SearchGoals& goals) {
  return {.name = setup.config.storage.study_name,
          .goals = goals.goals(),
          .objective_names = goals.names(),
          .constraint_names = goals.limit_names(),
          .distributions = study_distributions(plan.space),
          .fingerprint = fingerprint_of(setup),
          .in_words = inputs_in_words(setup)};
}

/// Where the trials of the search are kept, for a message. The address of a database is not shown:
/// it may hold a password.
std::string place_of_trials(const Setup& setup, const OutputFolder& output) {
  const StorageConfig& storage = setup.config.storage;
  return storage.url.empty() ? fmt::format("'{}'", output.path().string())
                             : fmt::format("study '{}' of the database", storage.study_name);
}

SearchResult search(const AutoSearchConfig& config, const SearchInput& input,
                    const SearchEnvironment& environment) {
  // Errors in the input are found before anything is written.
  const Setup setup = prepare(config, input, environment);
  SearchPlan plan = plan_search(setup);
  const Baseline baseline = measure_baseline_beside_observation(setup, plan);
  const std::vector<std::string> warnings = baseline_warnings(setup, baseline);
  const OutputFolder output(setup.config.output.output_folder, existing_search(environment));
  const auto open_study = [&] {
    return TrialStore(setup.config, study_description(setup, plan, baseline.goals), output.study());
  };
  // The placements, which are kept in the study, are choices of its space.
  if (places_operators(setup.config) && !has_used_up_time(setup, baseline))
    plan = plan_search(setup, place_operators(setup, open_study()));
  const TrialStore store = open_study();
  const std::unique_ptr<TrialExecutor> executor = make_executor(setup, baseline);
  BestModel best(setup, *executor, output);
  const SearchRun run{.setup = setup,
                      .plan = plan,
                      .baseline = baseline,
                      .warnings = warnings,
                      .output = output,
                      .best = best};
  try {
    return deliver_results(run, run_trials(run, *executor, store));
  } catch (const StudyRemoved&) {
    throw;
  } catch (const StudyLost&) {
    throw;
  } catch (const DiskFull& error) {
    throw DiskFull(fmt::format(
        "search: {}; the finished trials are kept in {}, make room and continue with --resume",
        error.what(), place_of_trials(setup, output)));
  } catch (const IoError& error) {
    throw IoError(
        fmt::format("search: {}; the finished trials are kept in {}, continue with --resume",
                    error.what(), place_of_trials(setup, output)));
  }
}

/// Prepares a worker process and serves the requests of the search.
void serve(const AutoSearchConfig& config, const SearchInput& input,
           const SearchEnvironment& environment, WorkerMain& worker) {
  const Setup setup = prepare(config, input, environment);
  const Baseline baseline = measure_baseline(setup, worker.float_scores());
  TrialContext context = trial_context(setup, baseline);
  context.wait_until_alone = [&worker] { worker.wait_until_alone(); };
  worker.serve(*make_trial_runner(context), fingerprint_of(setup), environment.on_worker_closed);
}

}  // namespace

void serve_trials(const AutoSearchConfig& config, const SearchInput& input,
                  const SearchEnvironment& environment, int socket) {
  WorkerMain worker(socket);
  SearchEnvironment own = environment;
  own.log = worker.log();
  const SearchInput fixed = with_fixed_inputs(input, config.fixed_inputs);
  with_pool(own, [&](const SearchEnvironment& with) { serve(config, fixed, with, worker); });
}

SearchResult auto_search(const AutoSearchConfig& config, const SearchInput& input,
                         const SearchEnvironment& environment) {
  const SearchInput fixed = with_fixed_inputs(input, config.fixed_inputs);
  return with_pool(environment,
                   [&](const SearchEnvironment& with) { return search(config, fixed, with); });
}

}  // namespace quantsearch
