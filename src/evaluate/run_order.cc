#include "evaluate/run_order.h"

#include <numeric>
#include <utility>

#include "quantsearch/base/random.h"

namespace quantsearch {

namespace {

// Any constant is suitable, but it must not change: a continued study races in the same order.
constexpr std::uint64_t kOrderSeed = 0x9e3779b97f4a7c15;

}  // namespace

RunOrder::RunOrder(std::int64_t samples, std::int64_t batch) : samples_(samples), batch_(batch) {
  const std::int64_t whole = samples / batch;
  runs_.resize(static_cast<std::size_t>(whole + (samples % batch != 0 ? 1 : 0)));
  std::iota(runs_.begin(), runs_.end(), std::int64_t{0});
  RandomStream random(kOrderSeed);  // Fisher & Yates
  for (auto left = static_cast<std::size_t>(whole); left > 1; --left)
    std::swap(runs_[left - 1], runs_[random.below(left)]);
}

std::int64_t RunOrder::sample_at(std::int64_t position) const {
  return runs_[static_cast<std::size_t>(position / batch_)] * batch_ + position % batch_;
}

}  // namespace quantsearch
