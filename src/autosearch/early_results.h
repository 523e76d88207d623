#pragma once

// A cancelled search may take a while to end, because trials have to stop and models are written.
// Its results so far are written at once, so that they are on disk if the user interrupts it again.

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/search/kept_trials.h"

namespace quantsearch {

class EarlyResults {
 public:
  /// Called once, on another thread, when `token` is cancelled, with the trials that were added
  /// until then as KeptTrials keeps them, and their number when that is a part. It must not throw.
  using Write = std::function<void(std::vector<Trial>, std::optional<std::int64_t> in_all)>;
  /// `kept` has no trials yet.
  EarlyResults(CancellationToken token, KeptTrials kept, Write write);
  /// Waits for `write` if it has begun.
  ~EarlyResults();
  EarlyResults(const EarlyResults&) = delete;
  EarlyResults& operator=(const EarlyResults&) = delete;

  void add(const Trial& finished);
  /// The trials of earlier runs have been added. Before, results would be less than what these runs
  /// have written, and nothing is written.
  void begin();

 private:
  void watch(const std::stop_token& stop);

  CancellationToken token_;
  Write write_;
  std::mutex mutex_;
  KeptTrials kept_;
  bool has_begun_ = false;
  std::jthread thread_;  // the last member, because it uses the others
};

}  // namespace quantsearch
