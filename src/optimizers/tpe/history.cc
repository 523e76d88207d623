#include "optimizers/tpe/history.h"

#include <algorithm>

namespace quantsearch {

History::History(const std::vector<Axis>& axes)
    : axes_(axes), positions_(axes.size()), orders_(axes.size()) {}

void History::add(std::int64_t number, const Coordinates& at) {
  const auto row = static_cast<std::uint32_t>(numbers_.size());
  numbers_.push_back(number);
  for (std::size_t dimension = 0; dimension < axes_.size(); ++dimension) {
    std::vector<double>& positions = positions_[dimension];
    positions.push_back(is_active(at[dimension]) ? axes_[dimension].position(at[dimension])
                                                 : kInactive);
    if (!is_active(at[dimension])) continue;
    std::vector<std::uint32_t>& order = orders_[dimension];
    const auto place = std::ranges::upper_bound(
        order, positions.back(), {}, [&](std::uint32_t other) { return positions[other]; });
    order.insert(place, row);
  }
}

void History::remove_last() {
  const auto row = static_cast<std::uint32_t>(numbers_.size() - 1);
  numbers_.pop_back();
  for (std::size_t dimension = 0; dimension < axes_.size(); ++dimension) {
    positions_[dimension].pop_back();
    std::vector<std::uint32_t>& order = orders_[dimension];
    const auto place = std::ranges::find(order, row);
    if (place != order.end()) order.erase(place);
  }
}

void History::keep(const std::vector<char>& is_kept) {
  std::vector<std::uint32_t> new_rows(numbers_.size());
  std::uint32_t count = 0;
  for (std::size_t row = 0; row < numbers_.size(); ++row) {
    new_rows[row] = count;
    if (is_kept[row]) numbers_[count++] = numbers_[row];
  }
  numbers_.resize(count);
  for (std::size_t dimension = 0; dimension < axes_.size(); ++dimension) {
    std::vector<double>& positions = positions_[dimension];
    for (std::size_t row = 0; row < new_rows.size(); ++row) {
      if (is_kept[row]) positions[new_rows[row]] = positions[row];
    }
    positions.resize(count);
    std::erase_if(orders_[dimension], [&](std::uint32_t row) { return is_kept[row] == 0; });
    for (std::uint32_t& row : orders_[dimension]) row = new_rows[row];
  }
}

}  // namespace quantsearch
