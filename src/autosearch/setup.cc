#include "autosearch/setup.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

std::optional<CustomEvaluator> custom_evaluator(const AutoSearchConfig& config,
                                                const SearchEnvironment& environment) {
  if (environment.evaluator && !environment.evaluator->score) {
    throw InvalidInput(
        "search: got a custom evaluator without a function, expected one that scores a model file");
  }
  if (environment.evaluator || !config.goals.command) return environment.evaluator;
  return evaluator_of(*config.goals.command, environment.log);
}

/// Absent when metrics alone score a model.
std::optional<ScoreNames> names_of_scores(const GoalConfig& goals,
                                          const std::optional<CustomEvaluator>& evaluator) {
  if (evaluator) return score_names(*evaluator);
  return goals.task ? std::optional(score_names(*goals.task)) : std::nullopt;
}

/// Writes the score that decides by default in place of "custom" when it has a name.
void name_scores(GoalConfig& goals, const std::optional<ScoreNames>& names) {
  if (!names) return;
  if (goals.named_first == kCustomGoal) goals.named_first = names->first;
  std::ranges::replace(goals.more_objectives, std::string(kCustomGoal), names->first);
}

void require_one_evaluator(const GoalConfig& goals, const SearchEnvironment& environment) {
  if (!environment.evaluator || !goals.task) return;
  throw InvalidInput(fmt::format(
      "search: got an evaluator and the task '{}' in search_evaluator, expected one of them",
      goals.task->name));
}

AutoSearchConfig with_base(AutoSearchConfig config, const Settings& base) {
  config.base = base;
  if (config.output.output_folder.empty()) config.output.output_folder = "quantsearch_output";
  return config;
}

void require_agreeing_direction(const Setup& setup) {
  const auto& advanced = setup.config.strategy.advanced;
  if (!advanced || !advanced->direction || *advanced->direction == setup.objective.goal) return;
  throw InvalidInput(fmt::format(
      "search: advanced_fastft_params asks to {} '{}', of which {} is better; leave out "
      "'direction'",
      *advanced->direction == Goal::minimize ? "minimize" : "maximize", setup.objective.name,
      setup.objective.goal == Goal::minimize ? "less" : "more"));
}

/// Refuses a confirmation with a user's evaluator, which has its own data.
void require_confirmable(const Setup& setup) {
  if (setup.data.confirmation == nullptr || !setup.evaluator) return;
  throw InvalidInput(
      "search: samples are kept back for a confirmation, but a custom evaluator judges, which has "
      "data of its own");
}

void require_execution(const ExecutionConfig& execution) {
  if (execution.devices.empty())
    throw InvalidInput("search: got no devices, expected at least one, such as cpu");
  require_devices(execution.devices);
  if (execution.trial_memory == 0 || needs_workers(execution)) return;
  throw InvalidInput(
      "search: 'search_trial_memory' (--trial-memory) is the limit of a worker process, add "
      "search_isolate: true (--isolate)");
}

/// All objectives, the one that decides first.
std::vector<std::string> objectives_of(const Setup& setup) {
  std::vector<std::string> names = {setup.objective.name};
  const std::vector<std::string>& more = setup.config.goals.more_objectives;
  names.insert(names.end(), more.begin(), more.end());
  return names;
}

Scores score_float(const Setup& setup, const Reference& reference) {
  Scores scores =
      reference.float_scores(recorded_metrics(setup.config.goals, setup.data.labels.has_value()));
  if (setup.evaluator)
    scores.metrics.merge(custom_scores(*setup.evaluator, objectives_of(setup), setup.input.model,
                                       setup.environment.token));
  for (const std::string& name : objectives_of(setup)) {
    if (!setup.config.goals.task || !is_evaluator_score(name) || scores.metrics.contains(name))
      continue;
    throw InvalidInput(fmt::format(
        "search: search_metric names '{}', which the truth of the evaluator '{}' does not define: "
        "nothing in it is of that kind",
        name, setup.config.goals.task->name));
  }
  if (SearchGoals::needs_latency(setup.config.goals))
    scores.latency = trial_latency(setup.input.model, reference, setup.environment.token);
  return scores;
}

Acceptance acceptance_of(const Setup& setup, const Scores& float_scores) {
  const auto found = float_scores.metrics.find(setup.objective.name);
  const auto value =
      found == float_scores.metrics.end() ? std::nullopt : std::optional(found->second);
  return {setup.config.goals, setup.objective, value};
}

/// Returns nullopt when trials do not race: racing is off, the objective has no losses per sample,
/// or there are too few samples for an early decision.
std::optional<RaceRule> race_rule(const Setup& setup) {
  constexpr std::int64_t kFewSamples = 32;
  const StrategyConfig& strategy = setup.config.strategy;
  const GoalConfig& goals = setup.config.goals;
  const bool learns = strategy.advanced || (strategy.algorithm != SearchAlgorithm::grid &&
                                            strategy.algorithm != SearchAlgorithm::random);
  const double error = strategy.race_error.value_or(learns ? kDefaultRaceError : 0);
  const bool has_samples = setup.data.evaluation->size() >= kFewSamples;
  if (error == 0 || setup.is_custom() || !goals.more_objectives.empty()) return std::nullopt;
  if (goals.goal != SearchGoal::most_accurate)
    return RaceRule{.metric = goals.metric, .error = error, .to_tolerance = true};
  if (!has_samples || !has_losses(goals.metric)) return std::nullopt;
  return RaceRule{.metric = goals.metric, .error = error};
}

/// Drops a detail that has been logged before: every trial has the remarks of its plan, which are
/// mostly those of all other trials.
LogSink without_repeated_details(LogSink log) {
  struct Said {
    std::mutex mutex;
    std::set<std::string, std::less<>> lines;
  };
  return [log = std::move(log), said = std::make_shared<Said>()](LogLevel level,
                                                                 std::string_view line) {
    if (level == LogLevel::detail) {
      const std::lock_guard lock(said->mutex);
      if (!said->lines.emplace(line).second) return;
    }
    say(log, level, line);
  };
}

IsolationOptions isolation_options(const Setup& setup, const Baseline& baseline) {
  const SearchEnvironment& environment = setup.environment;
  const ExecutionConfig& execution = setup.config.execution;
  if (!environment.worker_command)
    throw InvalidInput(
        "search: isolated trials need a command that starts a worker process, got none");
  // The memory that this process already uses is also used by each worker.
  const std::int64_t free = environment.budget.free();
  const auto workers = static_cast<int>(
      std::clamp<std::int64_t>(free / trial_bytes(setup.input.model), 1, execution.jobs));
  const int threads = environment.pool->threads();
  IsolationOptions options{.commands = {},
                           .memory_limit = execution.trial_memory,
                           .float_scores = baseline.scores,
                           .fingerprint = fingerprint_of(setup),
                           .folder = setup.config.output.cache_folder,
                           .token = environment.token,
                           .log = without_repeated_details(environment.log)};
  for (int worker = 0; worker < workers; ++worker) {
    const Device& device =
        execution.devices[static_cast<std::size_t>(worker) % execution.devices.size()];
    options.commands.push_back(environment.worker_command(
        share_of(threads, workers, worker), std::max<std::int64_t>(1, free / workers), device));
  }
  return options;
}

}  // namespace

bool needs_workers(const ExecutionConfig& execution) {
  return execution.isolate || execution.devices.size() > 1;
}

/// The quantized weights, their serialized form, the copy of the runtime and float weights that
/// equalization has changed, and the activations of a few samples.
std::int64_t trial_bytes(const Model& model) {
  return 4 * weight_bytes(model.graph) + (std::int64_t{16} << 20);
}

Setup prepare(const AutoSearchConfig& config, const SearchInput& input,
              const SearchEnvironment& environment) {
  const Clock::time_point start = Clock::now();
  require_execution(config.execution);
  std::optional<CustomEvaluator> evaluator = custom_evaluator(config, environment);
  DataSplit data = split_data(settings_from(to_value(config.base)), input,
                              config.goals.confirmation, evaluator.has_value(), environment.log);
  AutoSearchConfig settled = with_base(config, data.base);
  if (settled.goals.metric_by_data && data.labels) settled.goals.metric = Metric::top1;
  require_one_evaluator(settled.goals, environment);
  std::optional<ScoreNames> names = names_of_scores(settled.goals, evaluator);
  require_objectives(settled.goals, names.has_value());
  name_scores(settled.goals, names);
  std::shared_ptr<const Task> task = task_over(settled, input.model, data, TaskSamples::evaluation);
  if (task != nullptr && !task->has_truth()) names->tolerated_share = kToleratedShareOfAgreement;
  const ObjectiveName objective = objective_of(settled.goals, names);
  auto pipeline = std::make_unique<Pipeline>(
      input.model, data.calibration, *environment.pool, environment.budget,
      Pipeline::Options{.log = environment.log, .cache_folder = config.output.cache_folder});
  Setup setup{.input = input,
              .environment = environment,
              .start = start,
              .evaluator = std::move(evaluator),
              .task = std::move(task),
              .data = std::move(data),
              .config = std::move(settled),
              .objective = objective,
              .pipeline = std::move(pipeline)};
  setup.pipeline->require_quantizable(resolve(setup.config.base));
  require_agreeing_direction(setup);
  require_confirmable(setup);
  return setup;
}

std::shared_ptr<const Task> task_over(const AutoSearchConfig& config, const Model& float_model,
                                      const DataSplit& data, TaskSamples samples) {
  if (!config.goals.task) return nullptr;
  const bool confirms = samples == TaskSamples::confirmation;
  return make_task(*config.goals.task,
                   {.float_model = float_model,
                    .samples = confirms ? data.confirmation : data.evaluation,
                    .labels = confirms ? data.confirmation_labels : data.labels,
                    .first_in_truth = confirms ? data.first_confirmation : data.first_evaluation});
}

Baseline measure_baseline(const Setup& setup, const std::optional<Scores>& known) {
  const SearchEnvironment& environment = setup.environment;
  Reference reference(setup.input.model, setup.data.evaluation, setup.data.labels,
                      *environment.pool, environment.budget,
                      {.batch = 0,
                       .spill_folder = setup.config.output.cache_folder,
                       .logits_output = {},
                       .token = environment.token,
                       .log = environment.log,
                       .device = setup.config.execution.devices.front(),
                       .task = setup.task});
  if (setup.task != nullptr) {
    say(environment.log, LogLevel::info,
        fmt::format("evaluator {}: models are compared with {}", setup.config.goals.task->name,
                    setup.task->truth()));
  }
  Scores scores = known ? *known : score_float(setup, reference);
  Acceptance acceptance = acceptance_of(setup, scores);
  SearchGoals goals(setup.config.goals, setup.objective, scores,
                    names_of_scores(setup.config.goals, setup.evaluator));
  return {.reference = std::move(reference),
          .scores = std::move(scores),
          .acceptance = std::move(acceptance),
          .goals = std::move(goals),
          .seconds = std::chrono::duration<double>(Clock::now() - setup.start).count()};
}

Value fingerprint_of(const Setup& setup) {
  KeyBuilder labels;
  for (const std::int64_t label : setup.data.labels.value_or(Labels{})) labels.add(label);
  Value weights(Value::Map{});
  for (const auto& [output, weight] : setup.config.goals.output_weights)
    weights.set(output, weight);
  Value fingerprint = Value::Map{{"model", setup.pipeline->model_key().hex()},
                                 {"calibration", setup.data.calibration->content_key().hex()},
                                 {"evaluation", setup.data.evaluation->content_key().hex()},
                                 {"labels", labels.finish().hex()},
                                 {"quantization_config", to_json(to_value(setup.config.base))},
                                 {"objective", setup.objective.name},
                                 {"output_weights", weights},
                                 {"runtime", runtime_version()}};
  if (setup.task != nullptr) fingerprint.set("task", setup.task->key().hex());
  // Absent for the CPU, so that studies of earlier versions continue.
  if (const Device& device = setup.config.execution.devices.front(); device != Device{})
    fingerprint.set("device", device_kind(device));
  return fingerprint;
}

bool has_used_up_time(const Setup& setup, const Baseline& baseline) {
  const std::optional<double>& limit = setup.config.strategy.stop.time_limit_seconds;
  return limit && baseline.seconds >= *limit;
}

bool compares_with_incumbent(const Setup& setup) { return race_rule(setup).has_value(); }

TrialContext trial_context(const Setup& setup, const Baseline& baseline) {
  return {.base = setup.config.base,
          .goal_config = setup.config.goals,
          .float_model = setup.input.model,
          .pipeline = *setup.pipeline,
          .reference = baseline.reference,
          .jobs = setup.config.execution.jobs,
          .threads = setup.environment.pool->threads(),
          .budget = setup.environment.budget,
          .trial_bytes = trial_bytes(setup.input.model),
          .evaluator = setup.evaluator,
          .acceptance = baseline.acceptance,
          .goals = baseline.goals,
          .race = race_rule(setup),
          .log = without_repeated_details(setup.environment.log)};
}

std::unique_ptr<TrialExecutor> make_executor(const Setup& setup, const Baseline& baseline) {
  std::unique_ptr<TrialExecutor> executor;
  if (setup.environment.remote) {
    return make_remote_trials({.trials = *setup.environment.remote,
                               .jobs = setup.config.execution.jobs,
                               .float_scores = baseline.scores,
                               .fingerprint = fingerprint_of(setup),
                               .token = setup.environment.token,
                               .log = setup.environment.log,
                               .make_local = [&setup, &baseline] {
                                 return make_trial_runner(trial_context(setup, baseline));
                               }});
  }
  if (needs_workers(setup.config.execution)) {
    // The workers have evaluators of their own.
    if (setup.evaluator && setup.evaluator->rest) setup.evaluator->rest();
    executor = make_isolated_trials(isolation_options(setup, baseline));
  } else {
    executor = make_trial_runner(trial_context(setup, baseline));
  }
  if (executor->jobs() < setup.config.execution.jobs) {
    say(setup.environment.log, LogLevel::warning,
        fmt::format("the memory budget has room for {} of {} trials at the same time; raise "
                    "--memory to run more",
                    executor->jobs(), setup.config.execution.jobs));
  }
  return executor;
}

}  // namespace quantsearch
