#pragma once

// Things of which each is used by one at a time: pools of threads, worker processes.

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <vector>

namespace quantsearch {

/// Places 0 .. count - 1, all free at first.
class FreePlaces {
 public:
  explicit FreePlaces(std::size_t count) {
    for (std::size_t place = 0; place < count; ++place) free_.push_back(place);
  }

  /// A place nobody else has while this lives. Waits for one when all are taken; the one that was given back last.
  class Lease {
   public:
    explicit Lease(FreePlaces& places) : places_(places) {
      std::unique_lock lock(places.mutex_);
      places.returned_.wait(lock, [&places] { return !places.free_.empty(); });
      place_ = places.free_.back();
      places.free_.pop_back();
    }
    ~Lease() {
      {
        const std::lock_guard lock(places_.mutex_);
        places_.free_.push_back(place_);
      }
      places_.returned_.notify_one();
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    [[nodiscard]] std::size_t place() const { return place_; }

   private:
    FreePlaces& places_;
    std::size_t place_ = 0;
  };

 private:
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::size_t> free_;
};

}  // namespace quantsearch
