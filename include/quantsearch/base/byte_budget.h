#pragma once

// One memory limit for everything that keeps bytes: the stage cache, kept float outputs and
// parallel work. Also parses sizes and measures the memory of processes and of the machine.

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

namespace quantsearch {

/// Copies share one account. A reservation gives its bytes back when it is destroyed.
class ByteBudget {
 public:
  explicit ByteBudget(std::int64_t limit_bytes);

  class Reservation {
   public:
    Reservation() = default;
    Reservation(Reservation&& other) noexcept;
    Reservation& operator=(Reservation&& other) noexcept;
    ~Reservation();
    [[nodiscard]] std::int64_t bytes() const noexcept { return bytes_; }
    /// False when the reservation was refused.
    explicit operator bool() const noexcept { return account_ != nullptr; }

   private:
    friend class ByteBudget;
    struct Account;
    std::shared_ptr<Account> account_;
    std::int64_t bytes_ = 0;
  };

  /// Returns an empty reservation when `bytes` more would exceed the limit.
  [[nodiscard]] Reservation try_reserve(std::int64_t bytes) const;
  [[nodiscard]] std::int64_t limit() const noexcept;
  [[nodiscard]] std::int64_t used() const noexcept;
  [[nodiscard]] std::int64_t free() const noexcept { return limit() - used(); }

 private:
  std::shared_ptr<Reservation::Account> account_;
};

/// Parses "2G", "512M", "1.5 GiB" or plain bytes; units are powers of 1024. Throws InvalidInput for
/// any other text.
[[nodiscard]] std::int64_t parse_size(const std::string& text);

/// Resident set size of this process now and at its peak, in bytes (0 where the system does not
/// report it).
struct MemoryUse {
  std::int64_t resident_bytes = 0;
  std::int64_t peak_bytes = 0;
};
[[nodiscard]] MemoryUse memory_use();
/// Memory that a process has for itself: resident pages that are not backed by a file, in bytes (0
/// where the system does not report it).
[[nodiscard]] std::int64_t own_memory_bytes(pid_t process);
/// Physical memory of the machine, in bytes.
[[nodiscard]] std::int64_t physical_memory_bytes();

}  // namespace quantsearch
