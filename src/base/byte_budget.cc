#include "quantsearch/base/byte_budget.h"

#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <charconv>
#include <fstream>
#include <utility>

#include "quantsearch/base/error.h"

namespace quantsearch {

struct ByteBudget::Reservation::Account {
  std::int64_t limit = 0;
  std::atomic<std::int64_t> used{0};
};

ByteBudget::ByteBudget(std::int64_t limit_bytes)
    : account_(std::make_shared<Reservation::Account>()) {
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

namespace {

/// Counts of pages; zero where the system does not report them.
struct ResidentPages {
  std::int64_t all = 0;
  std::int64_t of_files = 0;
};

/// `process` is "self" or the id of a process.
ResidentPages resident_pages(const std::string& process) {
  std::ifstream statm(fmt::format("/proc/{}/statm", process));
  std::int64_t mapped = 0;
  ResidentPages pages;
  return statm >> mapped >> pages.all >> pages.of_files ? pages : ResidentPages{};
}

}  // namespace

MemoryUse memory_use() {
  MemoryUse use;
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) use.peak_bytes = std::int64_t{usage.ru_maxrss} * 1024;
  use.resident_bytes = resident_pages("self").all * sysconf(_SC_PAGESIZE);
  return use;
}

std::int64_t own_memory_bytes(pid_t process) {
  const ResidentPages pages = resident_pages(std::to_string(process));
  return (pages.all - pages.of_files) * sysconf(_SC_PAGESIZE);
}

std::int64_t physical_memory_bytes() {
  return std::int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
}

std::int64_t parse_size(const std::string& text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  std::string unit;
  for (const char* c = rest; c != end; ++c) {
    if (*c != ' ') unit += static_cast<char>(std::toupper(static_cast<unsigned char>(*c)));
  }
  double factor = 0;
  if (unit.empty() || unit == "B") factor = 1;
  if (unit == "K" || unit == "KB" || unit == "KIB") factor = 1024.0;
  if (unit == "M" || unit == "MB" || unit == "MIB") factor = 1024.0 * 1024;
  if (unit == "G" || unit == "GB" || unit == "GIB") factor = 1024.0 * 1024 * 1024;
  if (error != std::errc() || factor == 0 || !(number > 0) || number * factor > 9e18) {
    throw InvalidInput(fmt::format("got '{}', expected a size such as 512M or 2G", text));
  }
  return static_cast<std::int64_t>(number * factor);
}

}  // namespace quantsearch
