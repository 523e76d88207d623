#include "data/resident_pages.h"

#include <sys/mman.h>
#include <unistd.h>

namespace quantsearch {

namespace {

/// Drops the whole pages of the part. A map that is only read loses nothing, and a failure costs
/// only memory.
void drop(std::span<const std::byte> bytes) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto misaligned = reinterpret_cast<std::uintptr_t>(bytes.data()) % page;
  const std::size_t before = misaligned == 0 ? 0 : page - misaligned;
  if (bytes.size() < before + page) return;
  const std::span<const std::byte> pages = bytes.subspan(before);
  (void)::madvise(const_cast<std::byte*>(pages.data()), pages.size() / page * page, MADV_DONTNEED);
}

}  // namespace

void ResidentPages::add(std::span<const std::byte> bytes) {
  const std::lock_guard lock(mutex_);
  parts_.push_back(bytes);
}

void ResidentPages::remove(std::span<const std::byte> bytes) {
  const std::lock_guard lock(mutex_);
  std::erase_if(parts_, [&](const auto& part) { return part.data() == bytes.data(); });
}

void ResidentPages::touch(std::int64_t count) const {
  if (touched_.fetch_add(count) + count < kMostResidentBytes) return;
  touched_ = 0;
  const std::lock_guard lock(mutex_);
  for (const std::span<const std::byte> part : parts_) drop(part);
}

}  // namespace quantsearch
