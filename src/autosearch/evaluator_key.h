#pragma once

// The key `search_evaluator`: a program, a server, or a built-in task.

#include <string>
#include <vector>

#include "quantsearch/base/value.h"
#include "quantsearch/trials/goals.h"

namespace quantsearch {

/// Words of a command line; quotes keep blanks in a word. Throws InvalidInput for an open quote.
[[nodiscard]] std::vector<std::string> words_of(const std::string& line);

/// Sets the evaluator of the goals. `value`: {command: ...}, {server: ...}, {task: NAME, ...}, a
/// list of the words of a command, or a text: the name of a task, a command with {model}, or one of
/// the others in YAML. Throws InvalidInput for anything else.
void read_evaluator(GoalConfig& goals, const Value& value);

/// Throws InvalidInput when the objectives name a score that the evaluator cannot give: any without
/// an evaluator, one that a task does not have.
void require_known_scores(const GoalConfig& goals);

}  // namespace quantsearch
