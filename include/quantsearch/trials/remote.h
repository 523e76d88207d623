#pragma once

// Trials in processes that the caller has started, on this machine or on others. What carries the
// messages between them is the caller's: each request and each answer is a value (text, when it is
// written as JSON) that the caller hands over unread. TrialHost in quantsearch/autosearch.h is the
// other side.

#include <functional>
#include <optional>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/value.h"
#include "quantsearch/search/study.h"

namespace quantsearch {

/// Where the trials of a search run. The search has as many requests open as it has jobs.
struct RemoteTrials {
  /// Called once, before the first trial, with what a host needs to begin. What it throws ends the
  /// search.
  std::function<void(const Value& greeting)> begin = {};
  /// Has a host answer a request, and another one if that host is lost. Called from several
  /// threads. A request {make: ..., file: PATH} is answered when the model, which the host has
  /// written to a file of its own, is in the file at PATH on this machine, with its external data
  /// beside it. The answer {lost: REASON} means that there are no hosts any more and ends the
  /// search with what it has.
  std::function<Value(const Value& request, const CancellationToken& token)> ask = {};
  /// The hosts as places, when the caller can tell them apart: a request {run: ..., place: N} is
  /// for the host that `take` returned, as long as it is there.
  std::optional<Places> places = {};
};

}  // namespace quantsearch
