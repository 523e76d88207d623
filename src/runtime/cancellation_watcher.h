#pragma once

// Stops runs whose token was cancelled. A token has no callback (a signal handler may cancel it),
// so another thread must poll it while a run is inside the runtime. One thread serves all runs of
// the process: the first run starts it, it polls every few milliseconds while there are runs, and
// it sleeps until it is notified when there are none.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "quantsearch/base/cancellation.h"

namespace quantsearch {

class CancellationWatcher {
 public:
  CancellationWatcher() = default;
  ~CancellationWatcher();
  CancellationWatcher(const CancellationWatcher&) = delete;
  CancellationWatcher& operator=(const CancellationWatcher&) = delete;

  /// Ends the watch when it goes out of scope. After that `stop` is not running and will not be
  /// called.
  class Watch {
   public:
    Watch(CancellationWatcher& watcher, std::uint64_t id) : watcher_(watcher), id_(id) {}
    ~Watch() { watcher_.forget(id_); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    CancellationWatcher& watcher_;
    std::uint64_t id_;
  };

  /// Calls `stop` once, from the watcher's thread, when `token` is cancelled. `stop` must be quick
  /// and not throw.
  [[nodiscard]] Watch watch(CancellationToken token, std::function<void()> stop);

 private:
  struct Run {
    CancellationToken token;
    std::function<void()> stop;  // empty once called
  };
  void forget(std::uint64_t id);
  void loop();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::uint64_t, Run> runs_;
  std::uint64_t next_id_ = 0;
  bool asleep_ = false;
  bool quit_ = false;
  std::thread thread_;  // not a pool worker: it must poll while all of them are inside a run
};

}  // namespace quantsearch
