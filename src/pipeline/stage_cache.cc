#include "pipeline/stage_cache.h"

namespace quantsearch {

namespace {

// Interval at which a waiting trial checks for cancellation.
constexpr std::chrono::milliseconds kNotice{20};

// A failure takes less than a kilobyte. Later ones are computed each time.
constexpr std::size_t kMostFailures = 10'000;

}  // namespace

std::optional<std::any> StageCache::held_or_claim(const Key& key, const CancellationToken& token) {
  std::unique_lock lock(mutex_);
  while (true) {
    if (const auto found = entries_.find(key); found != entries_.end()) {
      count_hit(found->second.seconds);
      ages_.splice(ages_.begin(), ages_, found->second.age);
      return found->second.artefact;
    }
    if (const auto failed = failures_.find(key); failed != failures_.end()) {
      count_hit(failed->second.seconds);
      std::rethrow_exception(failed->second.error);
    }
    const auto flying = flights_.find(key);
    if (flying == flights_.end()) {
      ++report_.misses;
      flights_.emplace(key, std::make_shared<Flight>());
      return std::nullopt;
    }
    const std::shared_ptr<Flight> flight = flying->second;
    while (!landed_.wait_for(lock, kNotice, [&] { return flight->done; }))
      token.throw_if_cancelled();
    if (flight->artefact.has_value()) {  // a success that may have been too large to keep
      count_hit(flight->seconds);
      return flight->artefact;
    }
  }
}

void StageCache::land(const Key& key, std::any artefact, std::int64_t bytes, double seconds) {
  {
    const std::lock_guard lock(mutex_);
    const auto flying = flights_.find(key);
    flying->second->done = true;
    flying->second->artefact = artefact;
    flying->second->seconds = seconds;
    flights_.erase(flying);
    if (artefact.has_value()) keep(key, std::move(artefact), bytes, seconds);
  }
  landed_.notify_all();
}

void StageCache::keep_failure(const Key& key, std::exception_ptr error, double seconds) {
  const std::lock_guard lock(mutex_);
  if (failures_.size() < kMostFailures)
    failures_.emplace(key, Failure{.error = std::move(error), .seconds = seconds});
}

void StageCache::count_hit(double seconds) {
  ++report_.hits;
  report_.seconds_saved += seconds;
}

CacheReport StageCache::report() const {
  const std::lock_guard lock(mutex_);
  return report_;
}

void StageCache::keep(const Key& key, std::any artefact, std::int64_t bytes, double seconds) {
  ByteBudget::Reservation reservation = budget_.try_reserve(bytes);
  while (!reservation && !ages_.empty()) {
    report_.bytes -= entries_.at(ages_.back()).reservation.bytes();
    entries_.erase(ages_.back());
    ages_.pop_back();
    reservation = budget_.try_reserve(bytes);
  }
  if (!reservation) return;
  report_.bytes += bytes;
  ages_.push_front(key);
  entries_.emplace(key, Entry{.artefact = std::move(artefact),
                              .seconds = seconds,
                              .reservation = std::move(reservation),
                              .age = ages_.begin()});
}

}  // namespace quantsearch
