#pragma once

// Where the trials of a search lie, dimension by dimension and sorted, so that a kernel's
// neighbours are found without sorting anew.

#include <cstdint>
#include <vector>

#include "optimizers/axis.h"
#include "quantsearch/optimizers/domain.h"

namespace quantsearch {

/// Rows are trials in the order they were added.
class History {
 public:
  /// The axes outlive this.
  explicit History(const std::vector<Axis>& axes);

  void add(std::int64_t number, const Coordinates& at);
  /// Takes back the last add().
  void remove_last();

  [[nodiscard]] std::size_t size() const { return numbers_.size(); }
  [[nodiscard]] std::int64_t number(std::size_t row) const { return numbers_[row]; }
  /// Positions on the axis by row; NaN where the dimension has no effect.
  [[nodiscard]] const std::vector<double>& positions(std::size_t dimension) const {
    return positions_[dimension];
  }
  /// Rows in which the dimension has an effect, by position, ties by row.
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
