#include "optimizers/pareto/hypervolume.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace quantsearch {

namespace {

double box(std::span<const double> point, const Losses& reference) {
  double volume = 1;
  for (std::size_t i = 0; i < point.size(); ++i) volume *= reference[i] - point[i];
  return volume;
}

bool is_within(const Losses& point, const Losses& reference) {
  for (std::size_t i = 0; i < point.size(); ++i)
    if (!(point[i] < reference[i])) return false;
  return true;
}

/// The points of the functions below are within the reference, and may be reordered.
using Set = std::vector<Losses>;

double sweep_line(const Set& points, const Losses& reference) {
  double least = reference[0];
  for (const Losses& point : points) least = std::min(least, point[0]);
  return reference[0] - least;
}

double sweep_plane(Set points, const Losses& reference) {
  std::ranges::sort(points);
  double area = 0;
  double height = reference[1];
  for (const Losses& point : points) {
    if (point[1] >= height) continue;
    area += (reference[0] - point[0]) * (height - point[1]);
    height = point[1];
  }
  return area;
}

/// The state of a sweep through the third objective: the points so far that no other dominates in
/// the first two objectives, and the area that they cover.
class Staircase {
 public:
  explicit Staircase(const Losses& reference) : reference_(reference) {}

  void add(double x, double y) {
    auto right = steps_.upper_bound(x);
    double ceiling = right == steps_.begin() ? reference_[1] : std::prev(right)->second;
    if (ceiling <= y) return;  // dominated
    // Adds the area between y and the old steps, from x to the first step below y.
    if (right != steps_.begin() && std::prev(right)->first == x) right = std::prev(right);
    double from = x;
    while (right != steps_.end() && right->second >= y) {
      area_ += (right->first - from) * (ceiling - y);
      from = right->first;
      ceiling = right->second;
      right = steps_.erase(right);
    }
    const double end = right == steps_.end() ? reference_[0] : right->first;
    area_ += (end - from) * (ceiling - y);
    steps_.emplace_hint(right, x, y);
  }
  [[nodiscard]] double area() const { return area_; }

 private:
  const Losses& reference_;
  std::map<double, double> steps_;  // x ascending, y descending
  double area_ = 0;
};

double sweep_space(Set points, const Losses& reference) {
  std::ranges::sort(points, {}, [](const Losses& point) { return point[2]; });
  Staircase stairs(reference);
  double volume = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    stairs.add(points[i][0], points[i][1]);
    const double next = i + 1 < points.size() ? points[i + 1][2] : reference[2];
    volume += stairs.area() * (next - points[i][2]);
  }
  return volume;
}

Set non_dominated(Set points) {
  const auto ranks = non_dominated_ranks(points);
  Set kept;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (ranks[i] == 0) kept.push_back(std::move(points[i]));
  std::ranges::sort(kept);
  // Not std::ranges::unique, which clang 14 does not compile.
  kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
  return kept;
}

/// Returns the parts of `others` within the box of `point`, in the first `dimensions` objectives.
Set limited(std::span<const Losses> others, const Losses& point, std::size_t dimensions) {
  Set parts;
  parts.reserve(others.size());
  for (const Losses& other : others) {
    Losses& part = parts.emplace_back(other.begin(), other.begin() + std::ssize(point));
    part.resize(dimensions);
    for (std::size_t i = 0; i < dimensions; ++i) part[i] = std::max(part[i], point[i]);
  }
  return parts;
}

double volume_of(Set points, const Losses& reference);

/// Points are processed by descending last objective: all later points cover the whole range of the
/// last objective within the box of a point, so that a problem with one objective fewer remains.
double slice(Set points, const Losses& reference) {
  points = non_dominated(std::move(points));
  const std::size_t last = reference.size() - 1;
  std::ranges::stable_sort(points, std::ranges::greater{},
                           [&](const Losses& point) { return point[last]; });
  const Losses front(reference.begin(), reference.end() - 1);
  double volume = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::span<const double> foot = std::span(points[i]).first(last);
    const auto later = std::span(points).subspan(i + 1);
    const double covered = volume_of(limited(later, points[i], last), front);
    volume += (reference[last] - points[i][last]) * (box(foot, front) - covered);
  }
  return volume;
}

double volume_of(Set points, const Losses& reference) {
  if (points.empty()) return 0;
  switch (reference.size()) {
    case 1:
      return sweep_line(points, reference);
    case 2:
      return sweep_plane(std::move(points), reference);
    case 3:
      return sweep_space(std::move(points), reference);
  }
  return slice(std::move(points), reference);
}

Set within(std::span<const Losses> points, const Losses& reference) {
  Set kept;
  std::ranges::copy_if(points, std::back_inserter(kept),
                       [&](const Losses& point) { return is_within(point, reference); });
  return kept;
}

}  // namespace

double hypervolume(std::span<const Losses> points, const Losses& reference) {
  return volume_of(within(points, reference), reference);
}

double hypervolume_gain(const Losses& point, std::span<const Losses> others,
                        const Losses& reference) {
  if (!is_within(point, reference)) return 0;
  const Set inside = within(others, reference);
  const double covered = volume_of(limited(inside, point, point.size()), reference);
  return std::max(box(point, reference) - covered, 0.0);
}

std::vector<double> exclusive_contributions(std::span<const Losses> points,
                                            const Losses& reference) {
  std::vector<double> gains;
  gains.reserve(points.size());
  Set others(points.begin(), points.end());
  for (std::size_t i = 0; i < points.size(); ++i) {
    // Moves point i to the end and takes it out; it is swapped back below.
    std::swap(others[i], others.back());
    const Losses point = std::move(others.back());
    others.pop_back();
    gains.push_back(hypervolume_gain(point, others, reference));
    others.push_back(point);
    std::swap(others[i], others.back());
  }
  return gains;
}

Losses reference_beyond(std::span<const Losses> points) {
  Losses reference = points[0];
  for (const Losses& point : points)
    for (std::size_t i = 0; i < point.size(); ++i) reference[i] = std::max(reference[i], point[i]);
  for (double& worst : reference) worst = worst == 0 ? 1e-12 : std::max(1.1 * worst, 0.9 * worst);
  return reference;
}

}  // namespace quantsearch
