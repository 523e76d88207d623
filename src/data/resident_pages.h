#pragma once

// Keeps what a file map adds to the resident memory small: pages that were read are given back to
// the page cache, from which they come again at the price of a page fault.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace quantsearch {

constexpr std::int64_t kMostResidentBytes = 32 << 20;

/// Of one part of a file map that is only read. Safe from several threads; bytes stay valid while
/// pages are dropped.
class ResidentPages {
 public:
  explicit ResidentPages(std::span<const std::byte> bytes) : bytes_(bytes) {}
  /// Counts bytes that are about to be read or were read; drops all pages each kMostResidentBytes.
  void touch(std::int64_t count) const;

 private:
  std::span<const std::byte> bytes_;
  mutable std::atomic<std::int64_t> touched_{0};
};

}  // namespace quantsearch
