#pragma once

// Cooperative cancellation: a token is cheap to copy, safe to poll from any thread, and may carry a
// deadline.

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

namespace quantsearch {

using Clock = std::chrono::steady_clock;

/// Copies share one flag. A token derived with `with_deadline` is cancelled when its parent is or
/// when time is up.
class CancellationToken {
 public:
  CancellationToken();

  /// Requests cancellation. Safe to call from a signal handler (one lock-free atomic store).
  void cancel() const noexcept;
  [[nodiscard]] bool is_cancelled() const noexcept;
  /// True when the flag itself was set, false when only a deadline has passed.
  [[nodiscard]] bool was_requested() const noexcept;
  /// Throws Cancelled when is_cancelled().
  void throw_if_cancelled() const;
  /// A token that shares this flag and also ends at `deadline` (or at this token's own, whichever
  /// is first).
  [[nodiscard]] CancellationToken with_deadline(Clock::time_point deadline) const;
  /// A token that is cancelled when this one is, and whose own cancel() does not reach this one.
  [[nodiscard]] CancellationToken child() const;

 private:
  std::shared_ptr<std::atomic<bool>> flag_;
  std::shared_ptr<const CancellationToken> parent_;
  std::optional<Clock::time_point> deadline_;
};

}  // namespace quantsearch
