#pragma once

// One limit for everything that keeps bytes: stage cache, kept float outputs, parallel work.

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

  /// An empty reservation when `bytes` more would pass the limit.
  [[nodiscard]] Reservation try_reserve(std::int64_t bytes) const;
  [[nodiscard]] std::int64_t limit() const noexcept;
  [[nodiscard]] std::int64_t used() const noexcept;
  [[nodiscard]] std::int64_t free() const noexcept { return limit() - used(); }

 private:
  std::shared_ptr<Reservation::Account> account_;
};

/// "2G", "512M", "1.5 GiB", plain bytes: powers of 1024. Throws InvalidInput.
[[nodiscard]] std::int64_t parse_size(const std::string& text);

/// Resident set size of this process now and at its peak, in bytes (0 where the system does not
/// say).
struct MemoryUse {
  std::int64_t resident_bytes = 0;
  std::int64_t peak_bytes = 0;
};
[[nodiscard]] MemoryUse memory_use();
/// Memory that a process has for itself: resident pages that no file holds. In bytes; 0 where the
/// system does not say.
[[nodiscard]] std::int64_t own_memory_bytes(pid_t process);
/// Physical memory of the machine, in bytes.
[[nodiscard]] std::int64_t physical_memory_bytes();

}  // namespace quantsearch
