#pragma once

// Limits how much file maps add to the resident memory: pages that were read are returned to the
// page cache, from which they can be read again at the cost of a page fault.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace quantsearch {

constexpr std::int64_t kMostResidentBytes = 32 << 20;

/// The resident pages of parts of file maps that are only read. Safe from several threads; the
/// bytes stay valid while pages are dropped.
class ResidentPages {
 public:
  ResidentPages() = default;
  explicit ResidentPages(std::span<const std::byte> bytes) : parts_{bytes} {}
  void add(std::span<const std::byte> bytes);
  /// Removes a part that was added. Must be called before the part is unmapped.
  void remove(std::span<const std::byte> bytes);
  /// Counts bytes that are about to be read or were read; drops all pages each time the count
  /// reaches kMostResidentBytes.
  void touch(std::int64_t count) const;

 private:
  mutable std::mutex mutex_;  // guards parts_
  std::vector<std::span<const std::byte>> parts_;
  mutable std::atomic<std::int64_t> touched_{0};
};

}  // namespace quantsearch
