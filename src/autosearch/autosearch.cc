#include "quantsearch/autosearch.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "autosearch/acceptance.h"
#include "autosearch/confirmation.h"
#include "autosearch/cost_model.h"
#include "autosearch/data_split.h"
#include "autosearch/delivery.h"
#include "autosearch/early_results.h"
#include "autosearch/fixed_input.h"
#include "autosearch/isolated_trials.h"
#include "autosearch/kept_products.h"
#include "autosearch/mixed_widths.h"
#include "autosearch/output_folder.h"
#include "autosearch/settled_space.h"
#include "autosearch/staging.h"
#include "autosearch/strategy.h"
#include "autosearch/trial_runner.h"
#include "autosearch/trial_service.h"
#include "autosearch/trial_store.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/processor.h"
#include "quantsearch/pipeline/pipeline.h"
#include "quantsearch/search/trial_details.h"
#include "quantsearch/search/trial_order.h"

namespace quantsearch {

namespace {

std::string reasons_of(const std::map<std::string, std::int64_t>& filtered) {
  std::vector<std::string> parts;
  for (const auto& [reason, count] : filtered) parts.push_back(fmt::format("{} ({} points)", reason, count));
  return fmt::format("{}", fmt::join(parts, "; "));
}

void require_points(const SpaceSummary& summary) {
  if (summary.distinct > 0) return;
  throw InvalidInput(
      fmt::format("search: none of the {} points of the space is valid: {}; widen the space or "
                  "change the base configuration",
                  summary.raw, reasons_of(summary.filtered)));
}

void require_a_finished_trial(const Study& study) {
  const auto failed = [](const Trial& trial) { return trial.state == TrialState::failed; };
  if (study.trials.empty() || !std::ranges::all_of(study.trials, failed)) return;
  throw InvalidInput(fmt::format("search: all {} trials failed; the first, {}: {}", study.trials.size(),
                                 to_string(study.trials.front().point), study.trials.front().reason));
}

std::optional<CustomEvaluator> evaluator_of(const AutoSearchConfig& config, const SearchEnvironment& environment) {
  if (environment.evaluator && !environment.evaluator->score) {
    throw InvalidInput("search: got a custom evaluator without a function, expected one that scores a model file");
  }
  if (environment.evaluator || !config.command) return environment.evaluator;
  const auto score = [command = *config.command](const std::filesystem::path& model, const CancellationToken& token) {
    return run_command_evaluator(command, model, token);
  };
  return CustomEvaluator{.score = score, .direction = config.command->direction};
}

/// What a trial holds beside the caches: the quantized weights, their serialized form, the runtime's own copy, and float
/// weights that equalization has changed; activations of a few samples.
std::int64_t trial_bytes(const Model& model) { return 4 * weight_bytes(model.graph) + (std::int64_t{16} << 20); }

void log_trial(const LogSink& log, const Trial& trial) {
  say(log, LogLevel::info, fmt::format("trial {}: {}: {}", trial.number, to_string(trial.state), to_string(trial.point)));
  if (trial.state != TrialState::complete) {
    say(log, LogLevel::info, fmt::format("trial {}: {}", trial.number, trial.reason));
    return;
  }
  const TrialDetails details = details_from(trial.details);
  std::vector<std::string> scores;
  for (const auto& [name, score] : details.scores) scores.push_back(fmt::format("{} {:.6g}", name, score));
  std::vector<std::string> stages;
  for (const auto& [name, stage] : details.stages) {
    stages.push_back(stage.cached ? name + " reused" : fmt::format("{} {:.4f} s", name, stage.seconds));
  }
  say(log, LogLevel::info, fmt::format("trial {}: {}{}", trial.number, fmt::join(scores, ", "), trial.is_candidate ? " (candidate)" : ""));
  say(log, LogLevel::info, fmt::format("trial {}: {}; {:.4f} s in all", trial.number, fmt::join(stages, ", "), trial.seconds));
}

/// One search from checked input to delivered output; the members are made in the order they need each other.
class Search {
 public:
  Search(const AutoSearchConfig& config, const SearchInput& input, const SearchEnvironment& environment)
      : input_(input), environment_(environment), start_(Clock::now()), evaluator_(evaluator_of(config, environment)),
        data_(split_data(settings_from(to_value(config.base)), input, config.confirmation, evaluator_.has_value(), environment.log)),
        config_(with_base(config, data_.base)),
        pipeline_(input.model, data_.calibration, *environment.pool, environment.budget, {.log = environment.log, .cache_folder = config.cache_folder}),
        space_(settled_space(config_.space.value_or(default_space(config_.base)), data_.calibration->size())),
        normalize_(normalize_over(config_.base, applicability(), data_.calibration->size())), objective_(objective_of(config_, evaluator_)),
        products_(objective_.goal(), static_cast<std::size_t>(std::max<std::int64_t>(1, environment.keep)), environment.budget) {
    // What can be wrong with the input is found before anything is written.
    require_objectives(config_, evaluator_.has_value());
    pipeline_.require_quantizable(resolve(config_.base));
    summary_ = summarize(space_, normalize_);
    require_points(summary_);
    // As it was asked for: more values than one may come out the same here.
    check_stages(config_, settled_space(config_.space.value_or(default_space(config_.base)), std::nullopt));
    require_agreeing_direction();
    require_confirmable();
  }

  SearchResult run() {
    const Judge judge = make_judge();
    const OutputFolder output(config_.output_folder, existing());
    const TrialStore store(config_, study_description(judge.goals), output.study());
    announce(judge);
    const std::unique_ptr<TrialExecutor> trials = make_trials(judge);
    if (trials->jobs() < config_.jobs) {
      say(environment_.log, LogLevel::warning,
          fmt::format("the memory budget has room for {} of {} trials at the same time; raise --memory to run more", trials->jobs(), config_.jobs));
    }
    try {
      return walk_and_deliver(*trials, judge, output, store);
    } catch (const StudyRemoved&) {
      throw;
    } catch (const IoError& error) {  // most likely a full disk
      throw IoError(fmt::format(
          "search: {}; the finished trials are kept in '{}', make room and continue with --resume",
          error.what(), output.path().string()));
    }
  }

  void serve(TrialService& service) {
    const Judge judge = make_judge(service.float_scores());
    TrialContext context = context_of(judge);
    context.wait_until_alone = [&service] { service.wait_until_alone(); };
    TrialRunner runner(context);
    service.serve(runner, fingerprint());
  }

 private:
  /// What says how good a model is.
  struct Judge {
    Reference reference;
    Scores float_scores;
    Acceptance acceptance;
    SearchGoals goals;
    double seconds = 0;  // that the float model took
  };

  /// `known_float_scores`: as another process measured them.
  [[nodiscard]] Judge make_judge(const std::optional<Scores>& known_float_scores = std::nullopt) const {
    Reference reference(input_.model, data_.evaluation, data_.labels, *environment_.pool, environment_.budget,
                        {.batch = 0, .spill_folder = config_.cache_folder, .logits_output = {}, .token = environment_.token,
                         .log = environment_.log});
    const Scores float_scores = known_float_scores ? *known_float_scores : score_float(reference);
    return {.reference = std::move(reference), .float_scores = float_scores, .acceptance = acceptance_of(float_scores),
            .goals = SearchGoals(config_, objective_, float_scores, evaluator_ ? &*evaluator_ : nullptr),
            .seconds = seconds_so_far()};
  }

  [[nodiscard]] TrialContext context_of(const Judge& judge) {
    return {.config = config_, .pipeline = pipeline_, .reference = judge.reference, .jobs = config_.jobs,
            .threads = environment_.pool->threads(), .budget = environment_.budget, .trial_bytes = trial_bytes(input_.model),
            .evaluator = evaluator_, .acceptance = judge.acceptance, .goals = judge.goals,
            .race = race_metric(config_, is_custom(), data_.evaluation->size()), .log = environment_.log};
  }

  [[nodiscard]] std::unique_ptr<TrialExecutor> make_trials(const Judge& judge) {
    const bool needs_workers = config_.isolate || config_.devices != std::vector<Device>{Device{}};
    if (!needs_workers) return std::make_unique<TrialRunner>(context_of(judge));
    if (!environment_.worker_command) throw InvalidInput("search: isolated trials need a command that starts a worker process, got none");
    // What this process holds already, its workers hold too.
    const std::int64_t free = environment_.budget.free();
    const auto workers = static_cast<int>(std::clamp<std::int64_t>(free / trial_bytes(input_.model), 1, config_.jobs));
    const int threads = environment_.pool->threads();
    IsolationOptions options{.commands = {}, .memory_limit = config_.trial_memory, .float_scores = judge.float_scores, .fingerprint = fingerprint(),
                             .folder = config_.cache_folder, .token = environment_.token, .log = environment_.log};
    for (int worker = 0; worker < workers; ++worker) {
      const Device& device = config_.devices[static_cast<std::size_t>(worker) % config_.devices.size()];
      options.commands.push_back(environment_.worker_command(share_of(threads, workers, worker), std::max<std::int64_t>(1, free / workers), device));
    }
    return std::make_unique<IsolatedTrials>(std::move(options));
  }

  SearchResult walk_and_deliver(TrialExecutor& trials, const Judge& judge, const OutputFolder& output, const TrialStore& store) {
    SearchResult result;
    result.study = walk(trials, judge, output, store);
    const auto confirmation = confirm(finalists(result.study), config_, data_, input_.model, environment_,
                                      [&](const Trial& trial) { return built(trial, trials); });
    if (confirmation) choose(result.study.trials, confirmed_best(*confirmation, objective_.goal()), trials, output);
    result.best = best_ ? std::optional(best_->number) : std::nullopt;
    result.met_tolerance = best_ && best_->is_candidate;
    result.output_folder = output.path();
    const bool is_removed = result.study.stop_reason == StopReason::study_removed;
    if (is_removed && best_) write_best(trials, output);  // it may be gone with the study
    Delivery delivery = delivery_of(result.study, trials, judge, output);
    delivery.best = result.best;
    delivery.confirmation = confirmation;
    delivery.cache = pipeline_.cache_report();
    result.document = deliver(delivery);
    if (is_removed) {
      throw StudyRemoved(fmt::format("search: {}, which ended the search; the results of its {} trials are in '{}', and --resume cannot continue them",
                                     result.study.stop_message, result.study.trials.size(), output.path().string()));
    }
    require_a_finished_trial(result.study);
    return result;
  }

  [[nodiscard]] Delivery delivery_of(const Study& study, TrialExecutor& trials, const Judge& judge, const OutputFolder& output) const {
    return {.config = config_, .input = input_, .environment = environment_, .study = study, .summary = summary_,
            .float_scores = judge.float_scores, .objective = objective_, .goals = judge.goals.goals(),
            .tolerance = judge.acceptance.rule(), .best = {}, .confirmation = {},
            .built = [this, &trials](const Trial& trial) { return built(trial, trials); }, .reference = judge.reference, .cache = {},
            .output = output, .start = start_};
  }

  /// What was found until the user cancelled, while trials still end. On a thread of its own.
  void write_early(std::vector<Trial> finished, TrialExecutor& trials, const Judge& judge, const OutputFolder& output) const {
    Study study{.trials = std::move(finished), .best = {}, .candidates = {}, .stop_reason = StopReason::cancelled,
                .stop_message = "cancelled; the search has not ended"};
    Delivery delivery = delivery_of(study, trials, judge, output);
    for (const Trial* trial : ranked(study.trials, objective_.goal())) {
      if (!delivery.best) delivery.best = trial->number;
      if (trial->is_candidate) study.candidates.push_back(trial->number);
    }
    try {
      output.write_results(to_value(document_of(delivery)));
    } catch (const std::exception&) {
      return;  // the end of the search tries again and says why not
    }
    if (environment_.on_results) environment_.on_results();
  }

  /// The best trials in order: those as good as the best by limits and tolerance, as many as are written.
  [[nodiscard]] std::vector<Trial> finalists(const Study& study) const {
    std::vector<Trial> chosen;
    std::ranges::copy_if(study.trials, std::back_inserter(chosen), [this](const Trial& trial) {
      return best_ && trial.state == TrialState::complete && trial.is_candidate == best_->is_candidate && is_feasible(trial) == is_feasible(*best_);
    });
    std::ranges::sort(chosen, TrialOrder(objective_.goal()));
    chosen.resize(std::min(chosen.size(), static_cast<std::size_t>(std::max<std::int64_t>(1, environment_.keep))));
    return chosen;
  }

  /// The trial of that number is the best, whatever was before.
  void choose(const std::vector<Trial>& all, std::int64_t number, TrialExecutor& trials, const OutputFolder& output) {
    if (best_->number == number) return;
    best_ = *std::ranges::find(all, number, &Trial::number);
    write_best(trials, output);
  }

  void write_best(TrialExecutor& trials, const OutputFolder& output) const {
    const BuiltModel best = built(*best_, trials);
    output.write_best(*best.model, best.settings, config_.fixed_inputs);
  }

  /// The model of a complete trial.
  [[nodiscard]] BuiltModel built(const Trial& trial, TrialExecutor& trials) const {
    const BuiltProduct* const product = products_.find(trial.number);
    return product != nullptr ? product->load() : trials.rebuild(trial);
  }

  /// The evaluator of a user has data of its own.
  void require_confirmable() const {
    if (data_.confirmation == nullptr || !evaluator_) return;
    throw InvalidInput("search: samples are kept back for a confirmation, but a custom evaluator judges, which has data of its own");
  }

  void require_agreeing_direction() const {
    if (!config_.advanced || !config_.advanced->direction || *config_.advanced->direction == objective_.direction) return;
    throw InvalidInput(fmt::format("search: advanced_fastft_params asks to {} '{}', of which {} is better; leave out 'direction'",
                                   *config_.advanced->direction == Direction::minimize ? "minimize" : "maximize", objective_.name,
                                   objective_.direction == Direction::minimize ? "less" : "more"));
  }

  [[nodiscard]] std::shared_ptr<Applicability> applicability() {
    return std::make_shared<Applicability>([this](const SimplifyOptions& options) { return pipeline_.simplified(options); });
  }

  static AutoSearchConfig with_base(AutoSearchConfig config, const Settings& base) {
    config.base = base;
    if (config.output_folder.empty()) config.output_folder = "quantsearch_output";
    return config;
  }

  /// The evaluator decides.
  [[nodiscard]] bool is_custom() const { return objective_.name == kCustomGoal; }

  [[nodiscard]] double seconds_so_far() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  [[nodiscard]] OutputFolder::Existing existing() const {
    if (environment_.resume) return OutputFolder::Existing::resume;
    return environment_.overwrite ? OutputFolder::Existing::overwrite : OutputFolder::Existing::refuse;
  }

  [[nodiscard]] Scores score_float(const Reference& reference) const {
    Scores scores = reference.float_scores(recorded_metrics(config_, data_.labels.has_value()));
    if (evaluator_) scores.metrics["custom"] = custom_score(*evaluator_, input_.model, environment_.token);
    if (SearchGoals::needs_latency(config_)) scores.latency = trial_latency(input_.model, reference, environment_.token);
    return scores;
  }

  [[nodiscard]] Acceptance acceptance_of(const Scores& float_scores) const {
    const auto found = float_scores.metrics.find(objective_.name);
    const auto value = found == float_scores.metrics.end() ? std::nullopt : std::optional(found->second);
    return {config_, is_custom(), objective_.direction, value};
  }

  /// What a resumed search must agree with.
  [[nodiscard]] Value fingerprint() const {
    KeyBuilder labels;
    for (const std::int64_t label : data_.labels.value_or(Labels{})) labels.add(label);
    Value weights(Value::Map{});
    for (const auto& [output, weight] : config_.output_weights) weights.set(output, weight);
    return Value::Map{{"model", pipeline_.model_key().hex()},
                      {"calibration", data_.calibration->content_key().hex()},
                      {"evaluation", data_.evaluation->content_key().hex()},
                      {"labels", labels.finish().hex()},
                      {"quantization_config", to_json(to_value(config_.base))},
                      {"objective", objective_.name},
                      {"output_weights", weights},
                      {"runtime", runtime_version()}};
  }

  [[nodiscard]] StudyDescription study_description(const SearchGoals& goals) const {
    return {.name = config_.study_name, .goals = goals.goals(), .objective_names = goals.names(), .constraint_names = goals.limit_names(),
            .distributions = study_distributions(space_), .fingerprint = fingerprint()};
  }

  void announce(const Judge& judge) const {
    say(environment_.log, LogLevel::info, "processor: " + to_string(this_processor()));
    say(environment_.log, LogLevel::info,
        fmt::format("space: {} points, {}{} distinct{}", summary_.raw, summary_.complete ? "" : "at least ", summary_.distinct,
                    summary_.filtered.empty() ? "" : "; left out: " + reasons_of(summary_.filtered)));
    say(environment_.log, LogLevel::info,
        fmt::format("objective: {}; a candidate has {}", fmt::join(judge.goals.names(), ", "), judge.acceptance.rule()));
    for (const std::string& rule : judge.goals.rules()) say(environment_.log, LogLevel::info, "limit: " + rule);
    if (const auto warning = mixed_widths_warning(objective_, config_.base, space_)) {
      say(environment_.log, LogLevel::warning, *warning);
    }
    if (!environment_.on_space) return;
    environment_.on_space({.space = summary_, .objective = objective_.name, .goal = objective_.goal(),
                           .most_trials = most_trials(config_, space_, summary_, normalize_)});
  }

  [[nodiscard]] bool is_new_best(const Trial& trial) const {
    return trial.state == TrialState::complete && (!best_ || TrialOrder(objective_.goal())(trial, *best_));
  }

  Study walk(TrialExecutor& trials, const Judge& judge, const OutputFolder& output, const TrialStore& store) {
    const auto take = [&](const Trial& trial) {
      if (!is_new_best(trial)) return;
      best_ = trial;
      write_best(trials, output);
    };
    const std::vector<Trial> earlier = store.load();
    if (environment_.resume && earlier.empty()) {
      say(environment_.log, LogLevel::warning,
          fmt::format("there is nothing to resume in '{}': no trial of an earlier search is there, so this one begins with its first trial",
                      config_.storage.empty() ? output.path().string() : config_.storage));
    }
    for (const Trial& trial : earlier) {
      if (is_new_best(trial)) best_ = trial;
    }
    if (best_ && environment_.on_earlier_best) environment_.on_earlier_best(*best_);
    // A kill between the study and the file may have left an older best.onnx.
    if (const auto best = std::exchange(best_, std::nullopt)) take(*best);
    EarlyResults early(environment_.token, [&](std::vector<Trial> finished) { write_early(std::move(finished), trials, judge, output); });
    for (const Trial& trial : earlier) {
      if (trial.state != TrialState::running) early.add(trial);
    }
    const auto on_trial = [&](const Trial& trial, const TrialProduct& product) {
      early.add(trial);
      log_trial(environment_.log, trial);
      products_.add(trial, product);
      take(trial);
      if (environment_.on_trial) environment_.on_trial(trial);
    };
    const auto objective = [&](const TrialRequest& request) { return trials.run(request); };
    // A first guess: a trial is about a forward pass of the evaluation data, which the reference has made.
    const TrialCosts costs(config_.base, config_.expected_seconds.value_or(std::max(1e-3, judge.seconds)), pipeline_.model_key(),
                           data_.calibration->content_key());
    const Strategy strategy = strategy_of(config_, space_, normalize_, [&costs](const Point& point) { return costs.expected(point); },
                                          judge.goals.goals(), environment_.log);
    for (const std::string& warning : strategy.warnings) say(environment_.log, LogLevel::warning, warning);
    for (const std::string& notice : strategy.notices) say(environment_.log, LogLevel::info, notice);
    Study study = store.optimize(*strategy.sampler, objective,
                           {.goal = objective_.goal(), .jobs = config_.jobs, .stop = stop_conditions(strategy), .token = environment_.token,
                            .on_trial = on_trial,
                            .on_start = environment_.on_start});
    for (const Trial& trial : study.trials) take(trial);  // other processes' too
    const CacheReport cache = pipeline_.cache_report();
    say(environment_.log, LogLevel::info, "stopped: " + study.stop_message);
    say(environment_.log, LogLevel::info, fmt::format("stage cache: {} reused, {} computed, {:.3f} s saved", cache.hits, cache.misses,
                                                      cache.seconds_saved));
    return study;
  }

  [[nodiscard]] StopConditions stop_conditions(const Strategy& strategy) const {
    StopConditions stop = config_.stop;
    if (!strategy.exhausts) return stop;
    stop.find_n_candidates.reset();
    stop.find_best_candidate.reset();
    stop.iteration_limit.reset();
    return stop;
  }

  const SearchInput& input_;
  const SearchEnvironment& environment_;
  Clock::time_point start_;
  std::optional<CustomEvaluator> evaluator_;
  DataSplit data_;
  AutoSearchConfig config_;
  Pipeline pipeline_;
  Space space_;
  Normalize normalize_;
  ObjectiveName objective_;
  SpaceSummary summary_;
  std::optional<Trial> best_;  // what best.onnx holds
  KeptProducts products_;      // what is delivered, as long as the search lasts
};

}  // namespace

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

}  // namespace

void serve_trials(const AutoSearchConfig& config, const SearchInput& input, const SearchEnvironment& environment, int conversation) {
  TrialService service(conversation);
  SearchEnvironment own = environment;
  own.log = service.log();
  const SearchInput fixed = with_fixed_inputs(input, config.fixed_inputs);
  with_pool(own, [&](const SearchEnvironment& with) { Search(config, fixed, with).serve(service); });
}

SearchResult auto_search(const AutoSearchConfig& config, const SearchInput& input, const SearchEnvironment& environment) {
  const SearchInput fixed = with_fixed_inputs(input, config.fixed_inputs);
  return with_pool(environment, [&](const SearchEnvironment& with) { return Search(config, fixed, with).run(); });
}

}  // namespace quantsearch
