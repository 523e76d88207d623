#include "evaluate/run_order.h"

#include <numeric>
#include <utility>

#include "quantsearch/base/error.h"
#include "quantsearch/base/random.h"

namespace quantsearch {

namespace {

// Any number will do, as long as it is always the same: a study that is continued races in the same
// order.
constexpr std::uint64_t kOrderSeed = 0x9e3779b97f4a7c15;

}  // namespace

RunOrder::RunOrder(const DataSource& data, std::int64_t batch) : data_(data), batch_(batch) {
  const std::int64_t whole = data.size() / batch;
  runs_.resize(static_cast<std::size_t>(whole + (data.size() % batch != 0 ? 1 : 0)));
  std::iota(runs_.begin(), runs_.end(), std::int64_t{0});
  RandomStream random(kOrderSeed);  // Fisher & Yates
  for (auto left = static_cast<std::size_t>(whole); left > 1; --left)
    std::swap(runs_[left - 1], runs_[random.below(left)]);
}

std::int64_t RunOrder::sample_at(std::int64_t position) const {
  return runs_[static_cast<std::size_t>(position / batch_)] * batch_ + position % batch_;
}

Batch RunOrder::read(std::int64_t first, std::int64_t count) const {
  if (first / batch_ != (first + count - 1) / batch_)
    throw InternalError("evaluate: samples of two runs were read at once");
  return data_.read(sample_at(first), count);
}

Key RunOrder::content_key() const {
  throw InternalError("evaluate: the order of samples has no key");
}

}  // namespace quantsearch
