#pragma once

// A search that is cancelled may take a while to end: trials stop, models are written. What it has
// found is written at once, so that a second interruption finds it on disk.

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
  /// Waits for `write`, when it has begun.
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
  std::jthread thread_;  // last: it uses the others
};

}  // namespace quantsearch
