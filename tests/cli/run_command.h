#pragma once

// Runs the built program as a user does.

#include <string>
#include <vector>

namespace quantsearch::testing {

struct RunResult {
  int exit_code = 0;
  std::string out;
  std::string error;
};

/// `quantsearch ARGUMENTS` in `folder`.
[[nodiscard]] RunResult run_quantsearch(const std::vector<std::string>& arguments, const std::string& folder);
/// Starts it and leaves it running; the process id.
[[nodiscard]] int start_quantsearch(const std::vector<std::string>& arguments, const std::string& folder);
/// Its exit code (128 + signal when it was killed).
[[nodiscard]] int wait_for(int process);

}  // namespace quantsearch::testing
