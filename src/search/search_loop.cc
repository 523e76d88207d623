#include "search/search_loop.h"

#include <fmt/core.h>

namespace quantsearch {

SearchLoop::SearchLoop(Sampler& sampler, const Objective& objective, const SearchOptions& options)
    : sampler_(sampler),
      options_(options),
      progress_(options.goal, options.stop),
      kept_(options.goal, options.goals),
      start_(options.start.value_or(options.now())),
      limits_(options, start_),
      running_(options.token.child()),
      workers_(
          options.jobs,
          [this, &objective](TrialRun& run) { limits_.run(run, objective, running_); },
          options.places, limits_.within_search(running_)) {}

Study SearchLoop::run() {
  load();
  while (!ended()) {
    // A trial is begun before the next result is committed, so that what the sampler has been told
    // depends only on the number of the trial.
    if (begin() || commit()) continue;
    if (outstanding() > 0) {
      take(workers_.next_finished());
    } else if (!wait()) {
      end({.reason = StopReason::space_exhausted,
           .message = fmt::format("space exhausted: all {} points tried", tried())});
    }
  }
  finish();
  return std::move(study_);
}

bool SearchLoop::ended() {
  if (ended_) return true;
  if (auto stop = progress_.stop(seconds_between(start_, options_.now()), options_.token))
    end(*std::move(stop));
  return ended_;
}

void SearchLoop::end(StudyProgress::Stop stop) {
  ended_ = true;
  study_.stop_reason = stop.reason;
  study_.stop_message = std::move(stop.message);
}

bool SearchLoop::is_cut_off(const Trial& trial) const {
  return trial.state == TrialState::interrupted &&
         (ended_ || options_.token.is_cancelled() || limits_.is_over());
}

void SearchLoop::submit(Trial trial) {
  TrialRun run{.trial = std::move(trial), .incumbent = progress_.best()};
  if (options_.places) run.stages = options_.cost(run.trial.point).prefix;
  if (options_.on_start) options_.on_start(run.trial.number, run.trial.point);
  workers_.submit(std::move(run));
}

void SearchLoop::report(const TrialRun& run) const {
  if (options_.on_trial) options_.on_trial(run.trial, run.product);
}

void SearchLoop::finish() {
  running_.cancel();
  workers_.drop_waiting();
  while (outstanding() > 0) take(workers_.next_finished());
  complete_study();
  study_.trials = kept_.trials();
  complete_details(study_.trials);
  study_.trials_in_all = kept_.in_all();
  study_.best = progress_.best_number();
  study_.candidates = rank_candidates(study_.trials, options_.goal);
  study_.seconds = seconds_between(start_, options_.now());
}

}  // namespace quantsearch
