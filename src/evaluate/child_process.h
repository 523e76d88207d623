#pragma once

// A program started without a shell in a process group of its own, with stdout and stderr read through pipes.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace quantsearch {

/// Keeps the last line that holds more than white space, however much is written; a line is cut after 4096 bytes.
class LastLine {
 public:
  void add(std::string_view bytes);
  /// Without surrounding white space; an unfinished line counts.
  [[nodiscard]] std::string text() const;

 private:
  std::string current_;
  std::string last_;
};

struct ChildResult {
  int exit_code = 0;  // when it exited by itself
  int signal = 0;     // when a signal ended it
  std::string last_output;
  std::string last_error;
};

/// Runs the program to its end. `should_stop` is polled some hundred times a second; when it is true the whole process
/// group is killed and reaped and `stopped` is true in what is returned. Other processes of the group are killed when the
/// program has ended. Throws IoError with the system's reason when the program cannot be started.
struct ChildOutcome {
  bool stopped = false;
  ChildResult result;
};
[[nodiscard]] ChildOutcome run_child(const std::vector<std::string>& command, const std::function<bool()>& should_stop);

}  // namespace quantsearch
