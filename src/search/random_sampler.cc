// Weighted random sampling without replacement.
//
// Efraimidis & Spirakis 2006, "Weighted random sampling with a reservoir" (Information Processing
// Letters 97): give item i the key u_i^(1/w_i), u_i uniform; items by falling key are a weighted
// sample without replacement. With w_i = 1 / seconds_i the largest key is the smallest
// -ln(u_i) * seconds_i: a race of exponential clocks whose mean is the expected seconds.
//
// Here the race is run anew at each draw, because expected seconds are re-estimated while trials
// finish. Clocks have no memory, so with fixed weights this is the same distribution.
//
// A race over every point costs an estimate each. Up to kWholeRace points it is exact; for more
// points each race is between kEntrants points, taken in turn from a pseudo-random permutation, and
// the losers wait for the next round. That follows the weights as long as no point is expected to
// be more than kEntrants times cheaper than the rest.

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
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
// Raw points looked at in one draw once somebody is in the race: mostly invalid or repeated points
// must not make a draw slow.
constexpr std::int64_t kLooks = 1024;

/// Tickets 0 .. size-1, each of which stands for at most one point.
class Tickets {
 public:
  virtual ~Tickets() = default;
  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// True when no two tickets stand for the same point and each stands for one.
  [[nodiscard]] virtual bool are_distinct() const = 0;
  /// Nullopt for a ticket that stands for none.
  [[nodiscard]] virtual std::optional<Point> point_of(std::int64_t ticket) const = 0;
};

/// The distinct points of a space that fits, by their raw indices.
class EnumeratedTickets final : public Tickets {
 public:
  EnumeratedTickets(const Space& space, Normalize normalize)
      : space_(space), normalize_(std::move(normalize)) {
    visit_distinct(space_, normalize_, space_.size(),
                   [&](std::int64_t index, Point&& /*point*/) { indices_.push_back(index); });
  }
  std::int64_t size() const override { return static_cast<std::int64_t>(indices_.size()); }
  bool are_distinct() const override { return true; }
  std::optional<Point> point_of(std::int64_t ticket) const override {
    return std::get<Point>(normalize_(space_.at(indices_[static_cast<std::size_t>(ticket)])));
  }

 private:
  Space space_;
  Normalize normalize_;
  std::vector<std::int64_t> indices_;
};

/// All raw points. Of the many that normalize to one point only the one with the first choice of
/// each setting without effect holds a ticket, so that settings without effect do not make a point
/// more likely.
class RawTickets final : public Tickets {
 public:
  RawTickets(const Space& space, Normalize normalize)
      : space_(space), normalize_(std::move(normalize)) {}
  std::int64_t size() const override { return space_.size(); }
  bool are_distinct() const override { return false; }
  std::optional<Point> point_of(std::int64_t ticket) const override {
    const Point raw = space_.at(ticket);
    std::variant<Point, Rejected> outcome = normalize_(raw);
    if (std::holds_alternative<Rejected>(outcome)) return std::nullopt;
    Point& point = std::get<Point>(outcome);
    const Point first = with_first_choices(ticket, raw, point);
    if (first != raw) {
      const std::variant<Point, Rejected> twin = normalize_(first);
      if (std::holds_alternative<Point>(twin) && std::get<Point>(twin) == point) {
        return std::nullopt;
      }
    }
    return std::move(point);
  }

 private:
  Point with_first_choices(std::int64_t ticket, Point raw, const Point& normalized) const {
    for (const Parameter& parameter : space_.product_of(ticket)) {
      if (!normalized.contains(parameter.name)) raw[parameter.name] = parameter.choices.front();
    }
    return raw;
  }

  Space space_;
  Normalize normalize_;
};

class RandomSampler final : public Sampler {
 public:
  RandomSampler(std::unique_ptr<const Tickets> tickets, CostModel cost, std::uint64_t seed)
      : tickets_(std::move(tickets)),
        cost_(std::move(cost)),
        random_(seed, 0, "random sampler"),
        permutation_(std::max(tickets_->size(), std::int64_t{1}), seed) {}

  std::optional<Point> ask() override {
    std::vector<Entrant> entrants = gather();
    if (entrants.empty()) return std::nullopt;
    std::size_t winner = 0;
    double shortest = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < entrants.size(); ++i) {
      const double seconds = usable_seconds(cost_(entrants[i].point).seconds);
      const double time = -std::log1p(-random_.uniform()) * seconds;
      if (time < shortest) {
        shortest = time;
        winner = i;
      }
    }
    for (std::size_t i = 0; i < entrants.size(); ++i) {
      if (i != winner) waiting_.push_back(entrants[i].ticket);
    }
    return std::move(entrants[winner].point);
  }
  void tell(const Trial& /*finished*/) override {}
  std::optional<std::int64_t> remaining() const override {
    const std::int64_t fresh = tickets_->size() - next_;
    if (fresh > 0 && !tickets_->are_distinct()) return std::nullopt;
    return fresh + static_cast<std::int64_t>(waiting_.size());
  }

 private:
  struct Entrant {
    std::int64_t ticket = 0;
    Point point;
  };

  /// Fresh tickets first, then those that lost an earlier race, longest ago first.
  std::vector<Entrant> gather() {
    const bool whole = tickets_->are_distinct() && tickets_->size() <= kWholeRace;
    const auto wanted = static_cast<std::size_t>(whole ? kWholeRace : kEntrants);
    std::vector<Entrant> entrants;
    for (std::int64_t looks = 0; entrants.size() < wanted && next_ < tickets_->size(); ++looks) {
      if (looks >= kLooks && !entrants.empty()) return entrants;
      enter_fresh(permutation_.at(next_++), entrants);
    }
    while (entrants.size() < wanted && !waiting_.empty()) {
      const std::int64_t ticket = waiting_.front();
      waiting_.pop_front();
      entrants.push_back({.ticket = ticket, .point = *tickets_->point_of(ticket)});
    }
    return entrants;
  }

  void enter_fresh(std::int64_t ticket, std::vector<Entrant>& entrants) {
    std::optional<Point> point = tickets_->point_of(ticket);
    if (!point) return;
    if (!tickets_->are_distinct() && !seen_.insert(key_of(*point)).second) return;
    entrants.push_back({.ticket = ticket, .point = *std::move(point)});
  }

  std::unique_ptr<const Tickets> tickets_;
  CostModel cost_;
  RandomStream random_;
  Permutation permutation_;
  std::int64_t next_ = 0;  // position in the permutation
  std::deque<std::int64_t> waiting_;
  std::unordered_set<Key> seen_;  // points that have a ticket in the race
};

}  // namespace

std::unique_ptr<Sampler> random_sampler(const Space& space, Normalize normalize, CostModel cost,
                                        const SamplerOptions& options) {
  if (!space.is_finite()) {  // no weights: what costs how much is not known of points that are not listed
    const auto make = [seed = options.seed](Domain domain) { return random_optimizer(std::move(domain), {.seed = seed}); };
    return model_sampler(space, std::move(normalize), make, {.goals = {Goal::minimize}, .learns = false});
  }
  std::unique_ptr<const Tickets> tickets;
  if (space.size() <= options.enumeration_limit) {
    tickets = std::make_unique<EnumeratedTickets>(space, std::move(normalize));
  } else {
    tickets = std::make_unique<RawTickets>(space, std::move(normalize));
  }
  return std::make_unique<RandomSampler>(std::move(tickets), std::move(cost), options.seed);
}

}  // namespace quantsearch
