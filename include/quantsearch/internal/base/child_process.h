#pragma once

// Starts programs without a shell, each in its own process group, and reads their stdout and stderr
// through pipes.

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quantsearch/internal/base/descriptor.h"

namespace quantsearch {

/// Keeps only the last line that is not blank, regardless of how much is written. A line is cut
/// after 4096 bytes.
class LastLine {
 public:
  /// `on_line` is called for each complete line that is not blank; it may be empty.
  explicit LastLine(std::function<void(std::string_view line)> on_line = {})
      : on_line_(std::move(on_line)) {}
  void add(std::string_view bytes);
  /// The line without surrounding white space. An unfinished line counts.
  [[nodiscard]] std::string text() const;

 private:
  std::function<void(std::string_view line)> on_line_;
  std::string current_;
  std::string last_;
};

/// The two ends of a new connection between processes.
struct SocketPair {
  Descriptor ours;
  Descriptor theirs;
};
/// Both ends are closed in programs that are started. Throws IoError.
[[nodiscard]] SocketPair open_socket_pair();

struct ChildResult {
  int exit_code = 0;  // when it exited by itself
  int signal = 0;     // when a signal ended it
  std::string last_output;
  std::string last_error;
};

/// A started program. end() or the destructor kills it with its process group and reaps it. Not
/// thread-safe.
class ChildProcess {
 public:
  /// Starts `command` with an empty standard input. Throws IoError with the system's reason when
  /// the program cannot be started.
  explicit ChildProcess(const std::vector<std::string>& command);
  /// Starts `command` with `conversation`, an open socket, as both standard input and standard
  /// output. `on_error_line` is called by read() and end() for each line of its standard error.
  /// Throws as above.
  ChildProcess(const std::vector<std::string>& command, int conversation,
               std::function<void(std::string_view line)> on_error_line = {});
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t id() const { return process_; }
  /// Waits at most `milliseconds` for output and reads what has arrived.
  void read(int milliseconds);
  /// True once the program has ended. It stays a zombie until end(), so that the system cannot give
  /// the id of its process group to another one.
  [[nodiscard]] bool has_ended() const;
  /// Kills what is left of the group, reaps the process and reads the rest of its output.
  ChildResult end();

 private:
  pid_t process_ = -1;
  Descriptor output_;
  Descriptor error_;
  LastLine last_output_;
  LastLine last_error_;
};

struct ChildOutcome {
  bool stopped = false;  // by `should_stop`
  ChildResult result;
};
/// Runs the program to its end. `should_stop` is polled every 5 ms, or sooner when output arrives;
/// when it returns true, the whole process group is killed and reaped and `stopped` is set. Other
/// processes of the group are killed when the program has ended. Throws IoError with the system's
/// reason when the program cannot be started.
[[nodiscard]] ChildOutcome run_child(const std::vector<std::string>& command,
                                     const std::function<bool()>& should_stop);

}  // namespace quantsearch
