#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "optimizers/gp/acquisition.h"
#include "optimizers/gp/feasibility.h"
#include "optimizers/gp/improvement.h"

namespace quantsearch::gp {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Returns boxes in the first `objectives` coordinates. The space is divided into slabs along the
/// last of them; within a slab the points that begin at or below it dominate the region that they
/// dominate in the other coordinates.
std::vector<Box> boxes_of(const std::vector<std::vector<double>>& front,
                          const std::vector<double>& reference, std::size_t objectives) {
  const std::size_t last = objectives - 1;
  if (objectives == 1) {
    double best = reference[0];
    for (const auto& point : front) best = std::min(best, point[0]);
    return {Box{.low = {-kInfinity}, .high = {best}}};
  }
  std::vector<double> levels{-kInfinity, reference[last]};
  for (const auto& point : front) {
    if (point[last] < reference[last]) levels.push_back(point[last]);
  }
  std::ranges::sort(levels);
  levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
  std::vector<Box> boxes;
  for (std::size_t level = 0; level + 1 < levels.size(); ++level) {
    std::vector<std::vector<double>> begun;
    for (const auto& point : front) {
      if (point[last] <= levels[level]) begun.push_back(point);
    }
    for (Box& box : boxes_of(begun, reference, last)) {
      if (!(box.high[0] > box.low[0])) continue;
      box.low.push_back(levels[level]);
      box.high.push_back(levels[level + 1]);
      boxes.push_back(std::move(box));
    }
  }
  return boxes;
}

/// A box whose bounds are indices into the distinct bounds of each objective.
struct IndexedBox {
  std::vector<std::size_t> low;
  std::vector<std::size_t> high;
};

class HypervolumeImprovement final : public Acquisition {
 public:
  HypervolumeImprovement(const std::vector<Box>& boxes, std::size_t objectives,
                         std::vector<double> limits)
      : bounds_(objectives), limits_(std::move(limits)) {
    std::vector<std::map<double, std::size_t>> places(objectives);
    const auto place = [&](std::size_t objective, double bound) {
      const auto [at, is_new] = places[objective].try_emplace(bound, bounds_[objective].size());
      if (is_new) bounds_[objective].push_back(bound);
      return at->second;
    };
    for (const Box& box : boxes) {
      IndexedBox indexed;
      for (std::size_t j = 0; j < objectives; ++j) {
        indexed.low.push_back(place(j, box.low[j]));
        indexed.high.push_back(place(j, box.high[j]));
      }
      boxes_.push_back(std::move(indexed));
    }
  }

  Worth operator()(const Eigen::VectorXd& means, const Eigen::VectorXd& variances) const override {
    Worth worth = gain(means, variances);
    add_feasibility(worth, means, variances, limits_);
    return worth;
  }

  double bound(const Eigen::VectorXd& means,
               const Eigen::VectorXd& greatest_variances) const override {
    // The gain is convex in each objective, so that its expectation increases with each variance.
    return gain(means, greatest_variances).value +
           feasibility_bound(means, greatest_variances, limits_);
  }

 private:
  /// Returns ln of the expected improvement within an interval, and its derivatives.
  static LogImprovement difference(const LogImprovement& high, const LogImprovement& low) {
    if (low.value == -kInfinity) return high;
    const double ratio = std::exp(std::min(0.0, low.value - high.value));
    const double rest = std::max(1 - ratio, 1e-300);
    return {.value = high.value + std::log(rest),
            .by_mean = (high.by_mean - ratio * low.by_mean) / rest,
            .by_variance = (high.by_variance - ratio * low.by_variance) / rest};
  }

  Worth gain(const Eigen::VectorXd& means, const Eigen::VectorXd& variances) const {
    Worth worth{.by_means = Eigen::VectorXd::Zero(means.size()),
                .by_variances = Eigen::VectorXd::Zero(variances.size())};
    if (boxes_.empty()) return worth;
    const std::size_t objectives = bounds_.size();
    std::vector<std::vector<LogImprovement>> below(objectives);
    for (std::size_t j = 0; j < objectives; ++j) {
      const auto output = static_cast<Eigen::Index>(j);
      for (const double bound : bounds_[j]) {
        below[j].push_back(bound == -kInfinity
                               ? LogImprovement{.value = -kInfinity}
                               : log_expected_improvement(means[output], variances[output], bound));
      }
    }
    std::vector<LogImprovement> shares(boxes_.size() * objectives);
    std::vector<double> logarithms(boxes_.size(), 0.0);
    for (std::size_t i = 0; i < boxes_.size(); ++i) {
      for (std::size_t j = 0; j < objectives; ++j) {
        LogImprovement& share = shares[i * objectives + j];
        share = difference(below[j][boxes_[i].high[j]], below[j][boxes_[i].low[j]]);
        logarithms[i] += share.value;
      }
    }
    const double greatest = *std::ranges::max_element(logarithms);
    double sum = 0;
    for (const double logarithm : logarithms) sum += std::exp(logarithm - greatest);
    worth.value = greatest + std::log(sum);
    for (std::size_t i = 0; i < boxes_.size(); ++i) {
      const double weight = std::exp(logarithms[i] - greatest) / sum;
      if (weight == 0) continue;
      for (std::size_t j = 0; j < objectives; ++j) {
        const auto output = static_cast<Eigen::Index>(j);
        worth.by_means[output] += weight * shares[i * objectives + j].by_mean;
        worth.by_variances[output] += weight * shares[i * objectives + j].by_variance;
      }
    }
    return worth;
  }

  std::vector<std::vector<double>> bounds_;  // [objectives], distinct
  std::vector<IndexedBox> boxes_;
  std::vector<double> limits_;
};

}  // namespace

std::vector<Box> non_dominated_boxes(const std::vector<std::vector<double>>& front,
                                     const std::vector<double>& reference) {
  return boxes_of(front, reference, reference.size());
}

std::unique_ptr<Acquisition> log_hypervolume_improvement(
    const std::vector<std::vector<double>>& front, const std::vector<double>& reference,
    std::vector<double> limits) {
  std::vector<Box> boxes;
  if (!front.empty()) boxes = non_dominated_boxes(front, reference);
  return std::make_unique<HypervolumeImprovement>(boxes, reference.size(), std::move(limits));
}

}  // namespace quantsearch::gp
