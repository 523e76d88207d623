#pragma once

// A program started without a shell in a process group of its own, with stdout and stderr read
// through pipes.

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "quantsearch/base/descriptor.h"

namespace quantsearch {

/// Keeps the last line that holds more than white space, however much is written; a line is cut
/// after 4096 bytes.
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

/// A started program that is always killed with its group and reaped. Not thread-safe.
class ChildProcess {
 public:
  /// With an empty standard input. Throws IoError with the system's reason when the program cannot
  /// be started.
  explicit ChildProcess(const std::vector<std::string>& command);
  /// With `conversation`, an open socket, as both standard input and standard output.
  ChildProcess(const std::vector<std::string>& command, int conversation);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t id() const { return process_; }
  /// Waits a moment for output and takes what has come.
  void read(int milliseconds);
  /// True once it has ended; it stays a zombie, so its process group cannot be another's.
  [[nodiscard]] bool has_ended() const;
  /// Kills what is left of the group, reaps the process and takes the rest of its output.
  ChildResult end();

 private:
  pid_t process_ = -1;
  Descriptor output_;
  Descriptor error_;
  LastLine last_output_;
  LastLine last_error_;
};

/// Runs the program to its end. `should_stop` is polled some hundred times a second; when it is
/// true the whole process group is killed and reaped and `stopped` is true in what is returned.
/// Other processes of the group are killed when the program has ended. Throws IoError with the
/// system's reason when the program cannot be started.
struct ChildOutcome {
  bool stopped = false;
  ChildResult result;
};
[[nodiscard]] ChildOutcome run_child(const std::vector<std::string>& command,
                                     const std::function<bool()>& should_stop);

}  // namespace quantsearch
