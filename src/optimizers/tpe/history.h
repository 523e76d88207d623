#pragma once

// The positions of the trials of a search, sorted in each dimension, so that the neighbours of a
// kernel are found without sorting again.

#include <cstdint>
#include <vector>

#include "optimizers/axis.h"
#include "quantsearch/optimizers/domain.h"

namespace quantsearch {

/// Rows are trials in the order in which they were added.
class History {
 public:
  /// The axes must outlive this object.
  explicit History(const std::vector<Axis>& axes);

  void add(std::int64_t number, const Coordinates& at);
  /// Undoes the last add().
  void remove_last();
  /// Removes the rows that are not marked. The others get the rows 0, 1, 2, ... in their order.
  void keep(const std::vector<char>& is_kept);

  [[nodiscard]] std::size_t size() const { return numbers_.size(); }
  [[nodiscard]] std::int64_t number(std::size_t row) const { return numbers_[row]; }
  /// Positions on the axis by row; NaN where the dimension has no effect.
  [[nodiscard]] const std::vector<double>& positions(std::size_t dimension) const {
    return positions_[dimension];
  }
  /// Rows in which the dimension has an effect, sorted by position, ties by row.
  [[nodiscard]] const std::vector<std::uint32_t>& order(std::size_t dimension) const {
    return orders_[dimension];
  }

 private:
  const std::vector<Axis>& axes_;
  std::vector<std::int64_t> numbers_;
  std::vector<std::vector<double>> positions_;
  std::vector<std::vector<std::uint32_t>> orders_;
};

}  // namespace quantsearch
