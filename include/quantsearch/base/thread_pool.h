#pragma once

// A thread pool. Work is split by index, so a result never depends on the number of threads.

#include <cstdint>
#include <functional>
#include <memory>

#include "quantsearch/base/cancellation.h"

namespace quantsearch {

/// A fixed set of worker threads. A parallel_for that is called inside another one, of this pool or
/// of another, runs inline on the calling thread. Calls from several threads run one after another.
class ThreadPool {
 public:
  /// `threads` >= 1 counts the calling thread: 1 runs everything inline. 0 means all cores. Throws
  /// InvalidInput for a negative number.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] int threads() const noexcept;

  /// Calls body(index, worker) once for each index in [0, count), worker in [0, threads()); indices
  /// are handed out in increasing order. Returns when all are done. The exception of the lowest
  /// failing index is rethrown and indices not yet started are dropped. Throws Cancelled when
  /// `token` is cancelled before the last index has started.
  void parallel_for(std::int64_t count,
                    const std::function<void(std::int64_t index, int worker)>& body,
                    const CancellationToken& token = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quantsearch
