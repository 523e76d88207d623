#pragma once

// Runs the built program as a user does.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace quantsearch::testing {

struct RunResult {
  int exit_code = 0;
  std::string out;
  std::string error;
};

struct RunOptions {
  // Writing a file beyond it fails as on a full disk.
  std::optional<std::int64_t> largest_file_bytes = {};
  // The user's home folder; with it the environment does not say that this is a test run.
  std::optional<std::string> home = {};
  // ONNXRUNTIME_ROOT; absent: that of the test run.
  std::optional<std::string> runtime = {};
  // COLUMNS, the width of the terminal; absent: the program is not told one.
  std::optional<std::string> columns = {};
  // Where temporary files go.
  std::optional<std::string> temporary = {};
};

/// `quantsearch ARGUMENTS` in `folder`.
[[nodiscard]] RunResult run_quantsearch(const std::vector<std::string>& arguments,
                                        const std::string& folder, const RunOptions& options = {});
/// Starts it and leaves it running, with its output in a file; the process id.
[[nodiscard]] int start_quantsearch(const std::vector<std::string>& arguments,
                                    const std::string& folder,
                                    const std::string& out = "/dev/null");
/// Starts another program, found in PATH, with more variables in its environment.
[[nodiscard]] int start_program(const std::vector<std::string>& command, const std::string& folder,
                                const std::map<std::string, std::string>& variables);
/// Its exit code (128 + signal when it was killed).
[[nodiscard]] int wait_for(int process);

}  // namespace quantsearch::testing
