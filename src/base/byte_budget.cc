#include "quantsearch/base/byte_budget.h"

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <utility>

namespace quantsearch {

struct ByteBudget::Reservation::Account {
  std::int64_t limit = 0;
  std::atomic<std::int64_t> used{0};
};

ByteBudget::ByteBudget(std::int64_t limit_bytes) : account_(std::make_shared<Reservation::Account>()) {
  account_->limit = limit_bytes;
}

ByteBudget::Reservation::Reservation(Reservation&& other) noexcept
    : account_(std::exchange(other.account_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

ByteBudget::Reservation& ByteBudget::Reservation::operator=(Reservation&& other) noexcept {
  std::swap(account_, other.account_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

ByteBudget::Reservation::~Reservation() {
  if (account_) account_->used -= bytes_;
}

ByteBudget::Reservation ByteBudget::try_reserve(std::int64_t bytes) const {
  Reservation reservation;
  std::int64_t used = account_->used;
  do {
    if (bytes > account_->limit - used) return reservation;
  } while (!account_->used.compare_exchange_weak(used, used + bytes));
  reservation.account_ = account_;
  reservation.bytes_ = bytes;
  return reservation;
}

std::int64_t ByteBudget::limit() const noexcept { return account_->limit; }
std::int64_t ByteBudget::used() const noexcept { return account_->used; }

MemoryUse memory_use() {
  MemoryUse use;
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) use.peak_bytes = std::int64_t{usage.ru_maxrss} * 1024;
  std::ifstream statm("/proc/self/statm");
  std::int64_t total_pages = 0;
  std::int64_t resident_pages = 0;
  if (statm >> total_pages >> resident_pages) {
    use.resident_bytes = resident_pages * sysconf(_SC_PAGESIZE);
  }
  return use;
}

std::int64_t physical_memory_bytes() {
  return std::int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
}

}  // namespace quantsearch
