#pragma once

// Keeps the points that were told, so that no optimizer proposes a told or pending point again.

#include <optional>
#include <span>
#include <unordered_set>

#include "optimizers/axis.h"
#include "quantsearch/base/hash.h"
#include "quantsearch/base/random.h"
#include "quantsearch/optimizers.h"

namespace quantsearch {

/// All NaN have the same key, and so do 0 and -0.
[[nodiscard]] Key key_of_coordinates(const Coordinates& point);

class Visited {
 public:
  /// The domain must outlive this object.
  explicit Visited(const Domain& domain) : domain_(domain) {}

  void add(const Coordinates& canonical);
  /// Returns the canonical form of a point that may be proposed: valid, not told and not pending;
  /// otherwise nullopt.
  [[nodiscard]] std::optional<Coordinates> fresh(const Coordinates& point,
                                                 std::span<const Pending> pending) const;
  /// Returns a fresh point that is drawn uniformly. After kDraws draws the listed points of the
  /// domain are tried from a random start; nullopt when there is none.
  [[nodiscard]] std::optional<Coordinates> random_fresh(const std::vector<Axis>& axes,
                                                        RandomStream& random,
                                                        std::span<const Pending> pending) const;

 private:
  static constexpr int kDraws = 1000;

  const Domain& domain_;
  std::unordered_set<Key> told_;
};

}  // namespace quantsearch
