#include "search/racing/sign_flips.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

namespace quantsearch {

SignFlips::SignFlips(std::int64_t paths, std::uint64_t seed)
    : sums_(static_cast<std::size_t>(paths), 0.0),
      crossed_(static_cast<std::size_t>(paths), false),
      random_(seed, 0, "sign flips") {}

void SignFlips::add(double difference) {
  const auto bits = std::bit_cast<std::uint64_t>(difference);
  for (std::size_t begin = 0; begin < sums_.size(); begin += 64) {
    std::uint64_t signs = random_.next();
    if (begin == 0) signs &= ~std::uint64_t{1};  // path 0 is the observed one and keeps its signs
    const std::size_t count = std::min<std::size_t>(64, sums_.size() - begin);
    for (std::size_t i = 0; i < count; ++i)
      sums_[begin + i] += std::bit_cast<double>(bits ^ ((signs >> i & 1U) << 63));
  }
}

bool SignFlips::look(double share) {
  const auto may_cross =
      static_cast<std::int64_t>(std::floor(share * static_cast<double>(paths()) + 1e-9)) -
      crossed_count_;
  if (may_cross <= 0 || crossed_[0]) return crossed_[0];
  std::vector<double> waiting;
  waiting.reserve(sums_.size());
  for (std::size_t path = 0; path < sums_.size(); ++path)
    if (!crossed_[path]) waiting.push_back(sums_[path]);
  // The largest sum that may not cross. Sums equal to it must not cross either, or too many would.
  const auto first_refused = waiting.begin() + may_cross;
  std::nth_element(waiting.begin(), first_refused, waiting.end(), std::greater<>{});
  const double limit = std::max(*first_refused, 0.0);
  for (std::size_t path = 0; path < sums_.size(); ++path) {
    if (crossed_[path] || !(sums_[path] > limit)) continue;
    crossed_[path] = true;
    ++crossed_count_;
  }
  return crossed_[0];
}

}  // namespace quantsearch
