#pragma once

// What a search and the processes that run its trials say to each other, as values.
//
//   search                                              worker
//   {float: scores}                                     {ready: fingerprint}
//   {run: number, point, rival: {number, point}, file}  {log: level, line}..., {alone: true}, then one of
//                                                       {success}, {pruned}, {failed}, {cancelled}
//   {make: point, file}                                 {made: settings}, {failed}, {cancelled}
//   {cancel: true}, {alone: true}                       (none of their own)

#include <optional>

#include "quantsearch/base/value.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/search/study.h"

namespace quantsearch {

[[nodiscard]] Value message_of(const TrialOutcome& outcome);
/// nullopt when the message is not an outcome.
[[nodiscard]] std::optional<TrialOutcome> outcome_of(const Value& message);

/// Metrics, size and the median of the latency.
[[nodiscard]] Value value_of(const Scores& scores);
[[nodiscard]] Scores scores_of(const Value& value);

/// Settings are of the same form.
[[nodiscard]] Value value_of(const Point& point);
[[nodiscard]] Point point_of(const Value& value);

}  // namespace quantsearch
