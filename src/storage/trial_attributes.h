#pragma once

// What a trial has beyond Optuna's columns, as user attributes, where people see it in the
// dashboard: `state` (of a trial that is FAIL to Optuna: failed or interrupted), `reason`,
// `is_candidate`, `seconds`, and each key of the details.

#include <string>
#include <utility>
#include <vector>

#include "quantsearch/search/study.h"

namespace quantsearch {

struct StudyAttribute {
  std::string key;
  std::string json;
};

/// Of a finished trial.
[[nodiscard]] std::vector<StudyAttribute> attributes_of(const Trial& trial);

/// Puts an attribute back into its trial. One that Optuna's users gave becomes a detail; text that
/// is no JSON (other writers' files have some) is taken as it is.
void take_attribute(Trial& trial, const StudyAttribute& attribute);

}  // namespace quantsearch
