#pragma once

// Which points were told or are pending, so that no optimizer proposes one again.

#include <optional>
#include <span>
#include <unordered_set>

#include "optimizers/axis.h"
#include "quantsearch/base/hash.h"
#include "quantsearch/base/random.h"
#include "quantsearch/optimizers.h"

namespace quantsearch {

/// Every NaN is the same, and so are the zeros.
[[nodiscard]] Key key_of_coordinates(const Coordinates& point);

class Visited {
 public:
  /// The domain outlives this.
  explicit Visited(const Domain& domain) : domain_(domain) {}

  void add(const Coordinates& canonical);
  /// The canonical form of a point that may be proposed: possible, not told, not pending.
  [[nodiscard]] std::optional<Coordinates> fresh(const Coordinates& point,
                                                 std::span<const Pending> pending) const;
  /// A fresh point drawn uniformly: at most kDraws draws, then the listed points of the domain from
  /// a random start.
  [[nodiscard]] std::optional<Coordinates> random_fresh(const std::vector<Axis>& axes,
                                                        RandomStream& random,
                                                        std::span<const Pending> pending) const;

 private:
  static constexpr int kDraws = 1000;

  const Domain& domain_;
  std::unordered_set<Key> told_;
};

}  // namespace quantsearch
