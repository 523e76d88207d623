#include "autosearch/search_run.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "autosearch/confirmation.h"
#include "autosearch/cost_model.h"
#include "autosearch/early_results.h"
#include "autosearch/layer_ranking.h"
#include "autosearch/mixed_widths.h"
#include "autosearch/provenance.h"
#include "autosearch/strategy.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/processor.h"
#include "quantsearch/internal/report/point_text.h"
#include "quantsearch/search/kept_trials.h"
#include "quantsearch/search/trial_details.h"
#include "quantsearch/search/trial_order.h"

namespace quantsearch {

namespace {

void log_trial(const LogSink& log, const PointText& names, const Trial& trial) {
  say(log, LogLevel::info,
      fmt::format("trial {}: {}: {}", trial.number, to_string(trial.state),
                  names.text(trial.point)));
  if (trial.state != TrialState::complete) {
    say(log, LogLevel::info, fmt::format("trial {}: {}", trial.number, trial.reason));
    return;
  }
  const TrialDetails details = details_from(trial.details);
  std::vector<std::string> scores;
  for (const auto& [name, score] : details.scores)
    scores.push_back(fmt::format("{} {:.6g}", name, score));
  std::vector<std::string> stages;
  for (const auto& [name, stage] : details.stages) {
    stages.push_back(stage.cached ? name + " reused"
                                  : fmt::format("{} {:.4f} s", name, stage.seconds));
  }
  say(log, LogLevel::info,
      fmt::format("trial {}: {}{}", trial.number, fmt::join(scores, ", "),
                  trial.is_candidate ? " (candidate)" : ""));
  say(log, LogLevel::info,
      fmt::format("trial {}: {}; {:.4f} s in all", trial.number, fmt::join(stages, ", "),
                  trial.seconds));
}

/// The number of trials, of which the study may have a part.
std::int64_t count_of(const Study& study) {
  return study.trials_in_all.value_or(std::ssize(study.trials));
}

void require_a_finished_trial(const Study& study) {
  const auto failed = [](const Trial& trial) { return trial.state == TrialState::failed; };
  if (study.trials.empty() || !std::ranges::all_of(study.trials, failed)) return;
  throw InvalidInput(fmt::format("search: all {} trials failed; the first, {}: {}", count_of(study),
                                 to_string(study.trials.front().point),
                                 study.trials.front().reason));
}

void announce(const SearchRun& run) {
  const Setup& setup = run.setup;
  const LogSink& log = setup.environment.log;
  const SpaceSummary& summary = run.plan.summary;
  say(log, LogLevel::info, "processor: " + to_string(this_processor()));
  say(log, LogLevel::info,
      fmt::format("space: {} points, {}{} distinct{}", summary.raw,
                  summary.complete ? "" : "at least ", summary.distinct,
                  summary.filtered.empty() ? "" : "; left out: " + reasons_of(summary.filtered)));
  const PointText names = PointText::of(run.plan.space);
  if (!names.common().empty()) say(log, LogLevel::info, "every trial: " + names.common());
  for (const std::string& letter : names.letters()) say(log, LogLevel::info, letter);
  say(log, LogLevel::info,
      fmt::format("objective: {}; a candidate has {}", fmt::join(run.baseline.goals.names(), ", "),
                  run.baseline.acceptance.rule()));
  for (const std::string& rule : run.baseline.goals.rules())
    say(log, LogLevel::info, "limit: " + rule);
  for (const std::string& warning : run.warnings) say(log, LogLevel::warning, warning);
  if (const auto warning = mixed_widths_warning(setup.objective, setup.config.base, run.plan.space))
    say(log, LogLevel::warning, *warning);
  if (!setup.environment.on_space) return;
  setup.environment.on_space(
      {.space = summary,
       .objective = setup.objective.name,
       .goal = setup.ranking(),
       .most_trials = most_trials(setup.config, run.plan.space, summary, run.plan.normalize),
       .points = run.plan.space});
}

Delivery delivery_of(const SearchRun& run, const Study& study) {
  const Setup& setup = run.setup;
  return {.config = setup.config,
          .pipeline = *setup.pipeline,
          .input = setup.input,
          .environment = setup.environment,
          .study = study,
          .summary = run.plan.summary,
          .placement = run.plan.placement,
          .warnings = run.warnings,
          .provenance = provenance_of(setup),
          .float_scores = run.baseline.scores,
          .objective = setup.objective,
          .goals = run.baseline.goals.goals(),
          .tolerance = run.baseline.acceptance.rule(),
          .best = {},
          .confirmation = {},
          .built = [&best = run.best](const Trial& trial) { return best.built(trial); },
          .rank_layers =
              [&setup, &study](const Settings& best, BestProfile& profile) {
                return rank_layers(setup, study.trials, best, profile);
              },
          .reference = run.baseline.reference,
          .cache = {},
          .output = run.output,
          .start = setup.start};
}

/// Writes what is known before the first trial, so that the search can be watched.
void write_running(const SearchRun& run) {
  ResultsDocument head = document_of(delivery_of(run, {}));
  head.stop_reason = kRunning;
  run.output.write_running(to_value(head));
}

/// Writes the results found until the user cancelled, while trials are still ending. Runs on a
/// separate thread.
void write_early(const SearchRun& run, std::vector<Trial> finished,
                 std::optional<std::int64_t> in_all) {
  const Setup& setup = run.setup;
  Study study{.trials = std::move(finished),
              .trials_in_all = in_all,
              .best = {},
              .candidates = {},
              .stop_reason = StopReason::cancelled,
              .stop_message = "cancelled; the search has not ended"};
  Delivery delivery = delivery_of(run, study);
  for (const Trial* trial : ranked(study.trials, setup.ranking())) {
    if (!delivery.best) delivery.best = trial->number;
    if (trial->is_candidate) study.candidates.push_back(trial->number);
  }
  try {
    run.output.write_results(to_value(document_of(delivery)));
  } catch (const std::exception&) {
    return;  // the end of the search tries again and reports the error
  }
  if (setup.environment.on_results) setup.environment.on_results();
}

/// What a search knows of the trials of earlier runs and of other processes when it begins.
struct EarlierTrialsSeen {
  bool is_empty = true;       // running trials count, too
  std::optional<Trial> best;  // by TrialOrder
};

void see_earlier(EarlierTrialsSeen& seen, const Trial& trial, const TrialOrder& order) {
  seen.is_empty = false;
  if (trial.state == TrialState::complete && (!seen.best || order(trial, *seen.best)))
    seen.best = trial;
}

void continue_earlier(const SearchRun& run, const EarlierTrialsSeen& earlier) {
  const Setup& setup = run.setup;
  if (setup.environment.resume && earlier.is_empty) {
    const std::string& url = setup.config.storage.url;
    say(setup.environment.log, LogLevel::warning,
        fmt::format("there is nothing to resume in '{}': no trial of an earlier search is there, "
                    "so this one begins with its first trial",
                    url.empty() ? run.output.path().string() : url));
  }
  if (!earlier.best) return;
  if (setup.environment.on_earlier_best) setup.environment.on_earlier_best(*earlier.best);
  // If the process was killed between the writes of the study and of the file, best.onnx may be
  // older.
  run.best.choose(*earlier.best);
}

StopConditions stop_conditions(const Setup& setup, const Strategy& strategy) {
  StopConditions stop = setup.config.strategy.stop;
  stop.least_trials = 1;  // however short the time, there is a model
  if (!strategy.exhausts) return stop;
  stop.find_n_candidates.reset();
  stop.find_best_candidate.reset();
  stop.iteration_limit.reset();
  return stop;
}

/// With more trials to choose from, places compute fewer stages of each other again. Trials that
/// are compared with the incumbent, and those that a count may make superfluous, wait for results.
std::int64_t ahead_per_job(const Setup& setup, const StopConditions& stop, bool has_places) {
  const std::int64_t usual = SearchOptions{}.ahead_per_job;
  const bool waits = compares_with_incumbent(setup) || stop.find_n_candidates.has_value() ||
                     stop.find_best_candidate.has_value();
  return has_places && !waits ? 4 * usual : usual;
}

/// Returns the best trials in order: those that equal the best with respect to limits and
/// tolerance, at most as many as are written.
std::vector<Trial> finalists(const SearchRun& run, const Study& study) {
  const std::optional<Trial>& best = run.best.trial();
  std::vector<Trial> chosen;
  for (const Trial* trial : ranked(study.trials, run.setup.ranking())) {
    const bool as_good = best && trial->is_candidate == best->is_candidate &&
                         is_feasible(*trial) == is_feasible(*best);
    if (as_good) chosen.push_back(*trial);
  }
  chosen.resize(std::min(chosen.size(), static_cast<std::size_t>(std::max<std::int64_t>(
                                            1, run.setup.environment.keep))));
  return chosen;
}

std::optional<Confirmation> confirm_best(const SearchRun& run, const Study& study) {
  const Setup& setup = run.setup;
  auto confirmation = confirm(finalists(run, study), setup.objective.name, setup.config, setup.data,
                              setup.input.model, setup.environment,
                              [&run](const Trial& trial) { return run.best.built(trial); });
  if (!confirmation) return std::nullopt;
  const std::int64_t number = confirmed_best(*confirmation, setup.objective.goal);
  if (run.best.trial()->number != number)
    run.best.choose(*std::ranges::find(study.trials, number, &Trial::number));
  return confirmation;
}

/// True when the time limit left no time for more than the first model.
bool is_cut_short(const SearchRun& run, const Study& study) {
  return has_used_up_time(run.setup, run.baseline) && study.trials.size() <= 1;
}

void say_remarks(const LogSink& log, const Strategy& strategy) {
  for (const std::string& warning : strategy.warnings) say(log, LogLevel::warning, warning);
  for (const std::string& notice : strategy.notices) say(log, LogLevel::info, notice);
}

}  // namespace

Study run_trials(const SearchRun& run, TrialExecutor& executor, const TrialStore& store) {
  const Setup& setup = run.setup;
  const SearchEnvironment& environment = setup.environment;
  announce(run);
  write_running(run);
  const std::vector<Goal> goals = run.baseline.goals.goals();
  EarlyResults early(environment.token, KeptTrials(setup.ranking(), goals),
                     [&run](std::vector<Trial> finished, std::optional<std::int64_t> in_all) {
                       write_early(run, std::move(finished), in_all);
                     });
  EarlierTrialsSeen earlier;
  const auto on_earlier = [&, order = TrialOrder(setup.ranking())](const Trial& trial) {
    see_earlier(earlier, trial, order);
    if (trial.state != TrialState::running) early.add(trial);
  };
  const auto on_earlier_end = [&] {
    continue_earlier(run, earlier);
    early.begin();
  };
  const PointText names = PointText::of(run.plan.space);
  const auto on_trial = [&](const Trial& trial, const TrialProduct& product) {
    early.add(trial);
    log_trial(environment.log, names, trial);
    run.best.add(trial, product);
    if (environment.on_trial) environment.on_trial(trial);
  };
  // The first estimate: a trial takes about as long as a forward pass over the evaluation data,
  // which the baseline has made.
  const TrialCosts costs(
      setup.config.base,
      setup.config.strategy.expected_seconds.value_or(std::max(1e-3, run.baseline.seconds)),
      setup.pipeline->model_key(), setup.data.calibration->content_key());
  const auto cost = [&costs](const Point& point) { return costs.expected(point); };
  const Strategy strategy =
      strategy_of(setup.config, run.plan.space, run.plan.normalize, cost, goals, environment.log);
  say_remarks(environment.log, strategy);
  const StopConditions stop = stop_conditions(setup, strategy);
  const std::optional<Places> places = executor.places();
  Study study = store.optimize(
      *strategy.sampler, [&executor](const TrialRequest& request) { return executor.run(request); },
      {.goal = setup.ranking(),
       .goals = goals,
       .jobs = setup.config.execution.jobs,
       .stop = stop,
       .token = environment.token,
       .on_trial = on_trial,
       .on_start = environment.on_start,
       .on_earlier = on_earlier,
       .on_earlier_end = on_earlier_end,
       .start = setup.start,
       .places = places,
       .cost = cost,
       .ahead_per_job = ahead_per_job(setup, stop, places.has_value())});
  run.best.take_best(study.trials);  // includes those of other processes
  const CacheReport cache = setup.pipeline->cache_report();
  say(environment.log, LogLevel::info, "stopped: " + study.stop_message);
  say(environment.log, LogLevel::info,
      fmt::format("stage cache: {} reused, {} computed, {:.3f} s saved", cache.hits, cache.misses,
                  cache.seconds_saved));
  return study;
}

SearchResult deliver_results(const SearchRun& run, Study study) {
  const std::optional<Confirmation> confirmation = confirm_best(run, study);
  const std::optional<Trial>& best = run.best.trial();
  const bool cut_short = is_cut_short(run, study);
  SearchResult result{.study = std::move(study),
                      .document = {},
                      .best = best ? std::optional(best->number) : std::nullopt,
                      .met_tolerance = best && best->is_candidate,
                      .is_cut_short = cut_short,
                      .output_folder = run.output.path()};
  const bool is_removed = result.study.stop_reason == StopReason::study_removed;
  if (is_removed && best) run.best.write();  // it may have been removed with the study
  Delivery delivery = delivery_of(run, result.study);
  delivery.best = result.best;
  delivery.confirmation = confirmation;
  delivery.cache = run.setup.pipeline->cache_report();
  result.document = deliver(delivery);
  if (is_removed) {
    throw StudyRemoved(fmt::format(
        "search: {}, which ended the search; the results of its {} trials are in '{}', and "
        "--resume cannot continue them",
        result.study.stop_message, count_of(result.study), run.output.path().string()));
  }
  if (result.study.stop_reason == StopReason::study_lost) {
    throw StudyLost(fmt::format(
        "search: {}; the results of its {} trials are in '{}', and what the database has goes on "
        "with --resume when it is back",
        result.study.stop_message, count_of(result.study), run.output.path().string()));
  }
  require_a_finished_trial(result.study);
  return result;
}

}  // namespace quantsearch
