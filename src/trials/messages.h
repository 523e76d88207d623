#pragma once

// The messages between a search and the processes that run its trials, as values.
//
//   search                                         worker
//   {float: scores}                                {ready: fingerprint}
//   {run: number, point, incumbent: trial, file}   {log: level, line}..., {alone: true}, then
//                                                  one of {success, made: settings},
//                                                  {pruned}, {failed}, {cancelled}
//   {make: trial, file}                            {made: settings}, {failed}, {cancelled}
//   {cancel: true}, {alone: true}                  (no answer of their own)
//
// A trial is {number, point, details}. Without a file the model of a success is not written. What
// carries the messages between machines (remote_trials.cc) may also answer {lost: reason}.

#include <optional>

#include "quantsearch/base/value.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/search/study.h"

namespace quantsearch {

[[nodiscard]] Value message_of(const TrialRequest& request);
[[nodiscard]] Value message_of(const TrialOutcome& outcome);
/// Returns nullopt when the message is not an outcome.
[[nodiscard]] std::optional<TrialOutcome> outcome_of(const Value& message);

/// Returns the part of a complete trial that a worker needs to build its model again.
[[nodiscard]] Value reference_to(const Trial& trial);
[[nodiscard]] Trial trial_of(const Value& reference);

/// Returns the metrics, the size and the median of the latency.
[[nodiscard]] Value value_of(const Scores& scores);
[[nodiscard]] Scores scores_of(const Value& value);

/// Settings have the same form.
[[nodiscard]] Value value_of(const Point& point);
[[nodiscard]] Point point_of(const Value& value);

}  // namespace quantsearch
