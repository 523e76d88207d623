#include "pipeline/stage_cache.h"

namespace quantsearch {

const StageCache::Entry* StageCache::find(const Key& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    ++report_.misses;
    return nullptr;
  }
  ++report_.hits;
  report_.seconds_saved += found->second.seconds;
  ages_.splice(ages_.begin(), ages_, found->second.age);
  return &found->second;
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
