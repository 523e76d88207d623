#include <fmt/core.h>

#include <unordered_set>

#include "quantsearch/base/error.h"
#include "quantsearch/search/study.h"
#include "search/cost_order.h"
#include "search/enumerate.h"
#include "search/lazy_order.h"

namespace quantsearch {

namespace {

/// A grid over a space that fits in memory: it is ordered as a whole at the start. Only raw indices
/// are kept.
class EnumeratedGrid final : public Sampler {
 public:
  EnumeratedGrid(const Space& space, Normalize normalize, const CostModel& cost)
      : space_(space), normalize_(std::move(normalize)) {
    std::vector<std::int64_t> indices;
    std::vector<Expected> expected;
    visit_distinct(space_, normalize_, space_.size(), [&](std::int64_t index, Point&& point) {
      indices.push_back(index);
      expected.push_back(cost(point));
    });
    for (const std::size_t position : cost_order(expected)) order_.push_back(indices[position]);
  }

  std::optional<Point> ask() override {
    if (next_ == order_.size()) return std::nullopt;
    return std::get<Point>(normalize_(space_.at(order_[next_++])));
  }
  void tell(const Trial& /*finished*/) override {}
  bool is_fixed() const override { return true; }
  std::optional<std::int64_t> remaining() const override {
    return static_cast<std::int64_t>(order_.size() - next_);
  }

 private:
  Space space_;
  Normalize normalize_;
  std::vector<std::int64_t> order_;
  std::size_t next_ = 0;
};

/// A grid over a space that does not fit in memory: it is walked by index in the order of
/// ordered_for_walk(). Only the set of the keys of proposed points grows.
class LazyGrid final : public Sampler {
 public:
  LazyGrid(const Space& space, Normalize normalize, const CostModel& cost)
      : space_(ordered_for_walk(space, normalize, cost)), normalize_(std::move(normalize)) {}

  std::optional<Point> ask() override {
    while (next_ < space_.size()) {
      std::variant<Point, Rejected> outcome = normalize_(space_.at(next_++));
      Point* const point = std::get_if<Point>(&outcome);
      if (point != nullptr && proposed_.insert(key_of(*point)).second) return std::move(*point);
    }
    return std::nullopt;
  }
  void tell(const Trial& /*finished*/) override {}
  bool is_fixed() const override { return true; }
  std::optional<std::int64_t> remaining() const override {
    return next_ == space_.size() ? std::optional<std::int64_t>(0) : std::nullopt;
  }

 private:
  Space space_;
  Normalize normalize_;
  std::int64_t next_ = 0;
  std::unordered_set<Key> proposed_;
};

}  // namespace

void require_listed(const Space& space) {
  const auto unlisted = space.unlisted();
  if (!unlisted) return;
  throw InvalidInput(
      fmt::format("search: a grid cannot walk the real numbers of '{}'; give a step, list the "
                  "values, or use random or "
                  "model-based search",
                  *unlisted));
}

std::unique_ptr<Sampler> grid_sampler(const Space& space, Normalize normalize,
                                      const CostModel& cost, const SamplerOptions& options) {
  require_listed(space);
  if (space.size() <= options.enumeration_limit) {
    return std::make_unique<EnumeratedGrid>(space, std::move(normalize), cost);
  }
  return std::make_unique<LazyGrid>(space, std::move(normalize), cost);
}

}  // namespace quantsearch
