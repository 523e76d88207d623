#pragma once

// Keeps what a file map adds to the resident memory small: pages that were read are given back to
// the page cache, from which they come again at the price of a page fault.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace quantsearch {

constexpr std::int64_t kMostResidentBytes = 32 << 20;

/// Of parts of file maps that are only read. Safe from several threads; bytes stay valid while
/// pages are dropped.
class ResidentPages {
 public:
  ResidentPages() = default;
  explicit ResidentPages(std::span<const std::byte> bytes) : parts_{bytes} {}
  void add(std::span<const std::byte> bytes);
  /// Of a part that was added, before it is unmapped.
  void remove(std::span<const std::byte> bytes);
  /// Counts bytes that are about to be read or were read; drops all pages each kMostResidentBytes.
  void touch(std::int64_t count) const;

 private:
  mutable std::mutex mutex_;  // guards parts_
  std::vector<std::span<const std::byte>> parts_;
  mutable std::atomic<std::int64_t> touched_{0};
};

}  // namespace quantsearch
