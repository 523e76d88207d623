#include "quantsearch/base/cancellation.h"

#include <algorithm>

#include "quantsearch/base/error.h"

namespace quantsearch {

static_assert(std::atomic<bool>::is_always_lock_free, "cancel() is called from signal handlers");

CancellationToken::CancellationToken() : flag_(std::make_shared<std::atomic<bool>>(false)) {}

void CancellationToken::cancel() const noexcept { flag_->store(true, std::memory_order_relaxed); }

bool CancellationToken::was_requested() const noexcept {
  return flag_->load(std::memory_order_relaxed) || (parent_ && parent_->was_requested());
}

bool CancellationToken::is_cancelled() const noexcept {
  return was_requested() || (deadline_ && Clock::now() >= *deadline_);
}

void CancellationToken::throw_if_cancelled() const {
  if (is_cancelled()) throw Cancelled();
}

CancellationToken CancellationToken::with_deadline(Clock::time_point deadline) const {
  CancellationToken derived = *this;
  derived.deadline_ = deadline_ ? std::min(*deadline_, deadline) : deadline;
  return derived;
}

CancellationToken CancellationToken::child() const {
  CancellationToken derived;
  derived.parent_ = std::make_shared<const CancellationToken>(*this);
  derived.deadline_ = deadline_;
  return derived;
}

}  // namespace quantsearch
