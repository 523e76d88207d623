#pragma once

// The parts of messages about programs of the user.

#include <string>
#include <vector>

#include "quantsearch/evaluate/command_evaluator.h"
#include "quantsearch/internal/base/child_process.h"

namespace quantsearch {

/// The command as the user would type it.
[[nodiscard]] std::string text_of(const std::vector<std::string>& command);

/// ", last line of stderr: '...'" or that there is none.
[[nodiscard]] std::string last_error_of(const ChildResult& result);

/// "ended with exit code 3, last line of stderr: '...'" or the same for a signal.
[[nodiscard]] std::string ending_of(const ChildResult& result);

/// Throws InvalidInput for an empty command or a timeout that is not above 0.
void require_runnable(const CommandEvaluator& evaluator);

}  // namespace quantsearch
