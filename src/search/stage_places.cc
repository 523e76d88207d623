#include "search/stage_places.h"

#include <algorithm>

namespace quantsearch {

namespace {

// Trials that are looked at, and stages that are remembered. They bound the time of a choice (less
// than a millisecond) and the memory; the caches of the places are bounded, too.
constexpr std::size_t kMostTrials = 1024;
constexpr std::size_t kMostStages = 100'000;

}  // namespace

std::size_t StagePlaces::choose(std::int64_t place, const std::deque<TrialRun>& waiting) const {
  std::size_t best = 0;
  std::size_t fewest = computed_elsewhere(place, waiting.front().stages);
  const std::size_t end = std::min(waiting.size(), kMostTrials);
  for (std::size_t index = 1; index < end && fewest > 0; ++index) {
    const std::size_t count = computed_elsewhere(place, waiting[index].stages);
    if (count >= fewest) continue;
    best = index;
    fewest = count;
  }
  return best;
}

void StagePlaces::note(std::int64_t place, const std::vector<Key>& stages) {
  if (places_.size() + stages.size() > kMostStages) places_.clear();
  for (const Key& stage : stages) places_[stage].insert(place);
}

std::size_t StagePlaces::computed_elsewhere(std::int64_t place,
                                            const std::vector<Key>& stages) const {
  return static_cast<std::size_t>(std::ranges::count_if(stages, [&](const Key& stage) {
    const auto found = places_.find(stage);
    return found != places_.end() && !found->second.contains(place);
  }));
}

}  // namespace quantsearch
