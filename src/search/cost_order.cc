// The prefixes of all points form a tree whose leaves are the points. A depth-first walk of the
// tree keeps points that share stages adjacent; at each node the cheapest child (by its cheapest
// leaf) goes first, so that the first results come early.

#include "search/cost_order.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <unordered_map>

namespace quantsearch {

namespace {

struct Group {
  double seconds = std::numeric_limits<double>::infinity();  // of the cheapest member
  std::vector<std::size_t> members;
};

/// Orders `members`, which share their prefixes up to `depth`.
void order_below(const std::vector<Expected>& expected, std::size_t depth,
                 std::span<std::size_t> members) {
  if (members.size() < 2) return;
  std::vector<Group> groups;  // by first appearance
  std::unordered_map<Key, std::size_t> group_of;
  bool deeper = false;
  for (const std::size_t member : members) {
    const Expected& cost = expected[member];
    std::size_t group = groups.size();
    if (depth < cost.prefix.size()) {
      group = group_of.emplace(cost.prefix[depth], group).first->second;
      deeper = true;
    }
    if (group == groups.size()) groups.emplace_back();
    groups[group].members.push_back(member);
    groups[group].seconds = std::min(groups[group].seconds, usable_seconds(cost.seconds));
  }
  std::ranges::stable_sort(groups, {}, &Group::seconds);
  auto next = members.begin();
  for (const Group& group : groups) {
    const auto first = next;
    next = std::ranges::copy(group.members, next).out;
    if (deeper) order_below(expected, depth + 1, {first, next});
  }
}

}  // namespace

double usable_seconds(double seconds) {
  constexpr double kUnknown = 1e12;
  return std::isfinite(seconds) && seconds > 0 ? std::min(seconds, kUnknown) : kUnknown;
}

std::vector<std::size_t> cost_order(const std::vector<Expected>& expected) {
  std::vector<std::size_t> order(expected.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  order_below(expected, 0, order);
  return order;
}

}  // namespace quantsearch
