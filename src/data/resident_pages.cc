#include "data/resident_pages.h"

#include <sys/mman.h>
#include <unistd.h>

namespace quantsearch {

void ResidentPages::touch(std::int64_t count) const {
  if (touched_.fetch_add(count) + count < kMostResidentBytes) return;
  touched_ = 0;
  // Whole pages of the part: a private map that is never written loses nothing. Failure costs
  // memory only.
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(bytes_.data()) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(bytes_.data()) + bytes_.size()) / page * page;
  if (begin < end) (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace quantsearch
