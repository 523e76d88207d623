#include "autosearch/kept_products.h"

#include <algorithm>

namespace quantsearch {

void KeptProducts::add(const Trial& trial, const TrialProduct& product) {
  if (product == nullptr || trial.state != TrialState::complete || most_ == 0) return;
  const auto place = std::ranges::upper_bound(entries_, trial, order_, &Entry::trial);
  if (place == entries_.end() && entries_.size() == most_) return;
  const std::size_t at = static_cast<std::size_t>(place - entries_.begin());
  if (entries_.size() == most_) entries_.pop_back();
  auto built = std::static_pointer_cast<const BuiltProduct>(product);
  ByteBudget::Reservation memory = budget_.try_reserve(built->bytes());
  if (!memory) return;
  entries_.insert(entries_.begin() + static_cast<std::ptrdiff_t>(at),
                  Entry{.trial = trial, .product = std::move(built), .memory = std::move(memory)});
}

const BuiltProduct* KeptProducts::find(std::int64_t number) const {
  const auto found =
      std::ranges::find(entries_, number, [](const Entry& entry) { return entry.trial.number; });
  return found == entries_.end() ? nullptr : found->product.get();
}

}  // namespace quantsearch
