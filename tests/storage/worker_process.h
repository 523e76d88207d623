#pragma once

// A child process that works on a study until it is done or killed.

#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <utility>

namespace quantsearch {

class WorkerProcess {
 public:
  /// `work` runs in the child and returns true when it succeeded. No other thread may run when the
  /// child is created.
  explicit WorkerProcess(const std::function<bool()>& work) : id_(::fork()) {
    if (id_ != 0) return;
    bool well = false;
    try {
      well = work();
    } catch (...) {
    }
    ::_exit(well ? 0 : 1);
  }
  ~WorkerProcess() {
    if (id_ > 0) kill();
  }
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  /// Kills the child as a power failure would; the child has ended when this returns.
  void kill() {
    ::kill(id_, SIGKILL);
    (void)end();
  }
  /// Waits for the child and returns true when its work succeeded.
  bool end() {
    int status = 0;
    const bool ended = ::waitpid(std::exchange(id_, -1), &status, 0) > 0;
    return ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

 private:
  pid_t id_;
};

}  // namespace quantsearch
