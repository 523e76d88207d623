#pragma once

// Slots of resources that are each used by one thread at a time, such as thread pools or worker
// processes.

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <vector>

namespace quantsearch {

/// The slots 0 .. count - 1, which are free at first.
class SlotPool {
 public:
  explicit SlotPool(std::size_t count) {
    for (std::size_t slot = 0; slot < count; ++slot) free_.push_back(slot);
  }

  /// Exclusive use of a slot during the lifetime of the lease. Waits for a slot when all are taken;
  /// the one that was returned last is taken first.
  class Lease {
   public:
    explicit Lease(SlotPool& slots) : slots_(slots) {
      std::unique_lock lock(slots.mutex_);
      slots.returned_.wait(lock, [&slots] { return !slots.free_.empty(); });
      slot_ = slots.free_.back();
      slots.free_.pop_back();
    }
    ~Lease() {
      {
        const std::lock_guard lock(slots_.mutex_);
        slots_.free_.push_back(slot_);
      }
      slots_.returned_.notify_one();
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    [[nodiscard]] std::size_t slot() const { return slot_; }

   private:
    SlotPool& slots_;
    std::size_t slot_ = 0;
  };

 private:
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::size_t> free_;
};

}  // namespace quantsearch
