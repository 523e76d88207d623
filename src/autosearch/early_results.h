#pragma once

// A cancelled search may take a while to end, because trials have to stop and models are written.
// Its results so far are written at once, so that they are on disk if the user interrupts it again.

#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/search/study.h"

namespace quantsearch {

class EarlyResults {
 public:
  /// `write` is called once, on another thread, when `token` is cancelled, with the trials that
  /// were added until then. It must not throw.
  EarlyResults(CancellationToken token, std::function<void(std::vector<Trial>)> write);
  /// Waits for `write` if it has begun.
  ~EarlyResults();
  EarlyResults(const EarlyResults&) = delete;
  EarlyResults& operator=(const EarlyResults&) = delete;

  void add(const Trial& finished);

 private:
  void watch(const std::stop_token& stop);

  CancellationToken token_;
  std::function<void(std::vector<Trial>)> write_;
  std::mutex mutex_;
  std::vector<Trial> trials_;
  std::jthread thread_;  // the last member, because it uses the others
};

}  // namespace quantsearch
