#pragma once

// The fields of a trial for which Optuna has no column. They are stored as user attributes, which
// the dashboard shows: `state` (of a trial that Optuna calls FAIL: failed or interrupted),
// `reason`, `is_candidate`, `seconds`, and each key of the details.

#include <string>
#include <utility>
#include <vector>

#include "quantsearch/search/study.h"

namespace quantsearch {

struct StudyAttribute {
  std::string key;
  std::string json;
};

/// The attributes of a finished trial.
[[nodiscard]] std::vector<StudyAttribute> attributes_of(const Trial& trial);

/// Puts an attribute back into its trial. An attribute of an Optuna user becomes a detail; text
/// that is not JSON (other writers produce some) is kept as a string.
void take_attribute(Trial& trial, const StudyAttribute& attribute);

}  // namespace quantsearch
