// Weighted random sampling without replacement.
//
// Efraimidis & Spirakis 2006, "Weighted random sampling with a reservoir" (Information Processing
// Letters 97): each item draws the key u^(1/w) once, u uniform; items by falling key are a weighted
// sample without replacement. With w = 1 / seconds the order by falling key is the order by rising
// -ln(u) * seconds: exponential clocks whose means are the expected seconds.
//
// To estimate the seconds of a point, all of its options have to be examined. Therefore a space of
// more than kWholeRace points is not estimated as a whole: at each draw kEntrants more points start
// their clocks, in a pseudo-random order. An exponential clock has no memory, so a clock that
// starts at the time of the last draw is equivalent to one that has run from the beginning, and
// each draw follows the weights of the points that have started. When kMostClocks run, each draw
// starts one, so that the memory does not grow 64 times as fast as the search.

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>
#include <unordered_set>

#include "quantsearch/base/random.h"
#include "quantsearch/search/model_sampler.h"
#include "quantsearch/search/study.h"
#include "search/cost_order.h"
#include "search/enumerate.h"
#include "search/permutation.h"

namespace quantsearch {

namespace {

constexpr std::int64_t kWholeRace = 1024;
constexpr std::int64_t kEntrants = 64;
constexpr std::size_t kMostClocks = 65'536;
// The largest number of raw points examined in one draw when a clock is running, so that a draw is
// not slow where most points are invalid or repeated.
constexpr std::int64_t kLooks = 1024;

class RandomSampler final : public Sampler {
 public:
  RandomSampler(const Space& space, Normalize normalize, CostModel cost,
                const SamplerOptions& options)
      : space_(space),
        normalize_(std::move(normalize)),
        cost_(std::move(cost)),
        random_(options.seed, 0, "random sampler") {
    if (space_.size() <= options.enumeration_limit) {
      auto& indices = distinct_.emplace();
      visit_distinct(space_, normalize_, space_.size(),
                     [&](std::int64_t index, Point&& /*point*/) { indices.push_back(index); });
    }
    size_ = distinct_ ? static_cast<std::int64_t>(distinct_->size()) : space_.size();
    permutation_.emplace(std::max<std::int64_t>(size_, 1), options.seed);
  }

  std::optional<Point> ask() override {
    start_clocks();
    if (clocks_.empty()) return std::nullopt;
    const Clock first = clocks_.top();
    clocks_.pop();
    now_ = first.time;
    return point_of(first.index);
  }
  void tell(const Trial& /*finished*/) override {}
  bool is_fixed() const override { return true; }
  std::optional<std::int64_t> remaining() const override {
    const std::int64_t fresh = size_ - next_;
    if (fresh > 0 && !distinct_) return std::nullopt;
    return fresh + static_cast<std::int64_t>(clocks_.size());
  }

 private:
  struct Clock {
    double time = 0;         // at which it rings
    std::int64_t index = 0;  // of the raw point
    bool operator>(const Clock& other) const { return time > other.time; }
  };

  void start_clocks() {
    std::int64_t wanted = distinct_ && size_ <= kWholeRace ? size_ : kEntrants;
    if (clocks_.size() >= kMostClocks) wanted = 1;
    std::int64_t started = 0;
    for (std::int64_t looks = 0;
         started < wanted && next_ < size_ && (looks < kLooks || clocks_.empty()); ++looks) {
      started += start_clock(permutation_->at(next_++)) ? 1 : 0;
    }
  }

  bool start_clock(std::int64_t place) {
    const std::int64_t index = distinct_ ? (*distinct_)[static_cast<std::size_t>(place)] : place;
    const std::optional<Point> point = point_of(index);
    if (!point || (!distinct_ && !seen_.insert(key_of(*point)).second)) return false;
    const double seconds = usable_seconds(cost_(*point).seconds);
    clocks_.push({.time = now_ - std::log1p(-random_.uniform()) * seconds, .index = index});
    return true;
  }

  /// Returns the point of a raw index. Several raw points may normalize to the same point; only the
  /// one that has the first choice of each setting without effect represents it, so that such
  /// settings do not make a point more likely.
  std::optional<Point> point_of(std::int64_t index) const {
    const Point raw = space_.at(index);
    std::variant<Point, Rejected> outcome = normalize_(raw);
    if (std::holds_alternative<Rejected>(outcome)) return std::nullopt;
    Point& point = std::get<Point>(outcome);
    if (distinct_) return std::move(point);
    const Point first = with_first_choices(index, raw, point);
    if (first != raw) {
      const std::variant<Point, Rejected> twin = normalize_(first);
      if (std::holds_alternative<Point>(twin) && std::get<Point>(twin) == point)
        return std::nullopt;
    }
    return std::move(point);
  }

  Point with_first_choices(std::int64_t index, Point raw, const Point& normalized) const {
    for (const Parameter& parameter : space_.product_of(index)) {
      if (!normalized.contains(parameter.name)) raw[parameter.name] = parameter.choices.front();
    }
    return raw;
  }

  Space space_;
  Normalize normalize_;
  CostModel cost_;
  RandomStream random_;
  // Raw indices of the distinct points, for a space that fits in memory.
  std::optional<std::vector<std::int64_t>> distinct_;
  std::int64_t size_ = 0;  // number of distinct points if they are listed, otherwise of raw points
  std::optional<Permutation> permutation_;  // of 0 .. size_ - 1
  std::int64_t next_ = 0;                   // next position in the permutation
  std::priority_queue<Clock, std::vector<Clock>, std::greater<>> clocks_;
  double now_ = 0;
  // Points whose clock has started, for a space that does not fit in memory.
  std::unordered_set<Key> seen_;
};

}  // namespace

std::unique_ptr<Sampler> random_sampler(const Space& space, Normalize normalize, CostModel cost,
                                        const SamplerOptions& options) {
  // The draws have no weights, because the cost of points that are not listed is unknown.
  if (!space.is_finite()) {
    const auto make = [seed = options.seed](Domain domain) {
      return random_optimizer(std::move(domain), {.seed = seed});
    };
    return model_sampler(space, std::move(normalize), make,
                         {.goals = {Goal::minimize}, .learns = false});
  }
  return std::make_unique<RandomSampler>(space, std::move(normalize), std::move(cost), options);
}

}  // namespace quantsearch
