#include "optimizers/cma/margin.h"

#include <algorithm>
#include <cmath>

#include "optimizers/cma/normal.h"

namespace quantsearch {

namespace {

constexpr double kSmallestShare = 1e-8;

/// Returns the distance, in standard deviations, of a border that is crossed with this probability.
double deviations(double probability) { return -normal_quantile(probability); }

double clipped(double probability) {
  return std::clamp(probability, kSmallestShare, 0.5 - kSmallestShare);
}

}  // namespace

CmaMargin::CmaMargin(std::vector<std::optional<CmaGrid>> grids, double share)
    : grids_(std::move(grids)), share_(share) {
  for (std::size_t dimension = 0; dimension < grids_.size(); ++dimension) {
    if (!grids_[dimension]) continue;
    stepped_.push_back({.dimension = static_cast<Eigen::Index>(dimension),
                        .mutation_rate = 0.5 - kSmallestShare,
                        .mutation_chosen = false});
  }
}

const CmaGrid& CmaMargin::grid_of(const Stepped& stepped) const {
  return *grids_[static_cast<std::size_t>(stepped.dimension)];
}

void CmaMargin::center(const CmaGaussian& gaussian, const CmaStrategy& strategy,
                       Eigen::MatrixXd& points) {
  for (Stepped& stepped : stepped_) {
    auto parents = points.row(stepped.dimension).head(strategy.parents);
    parents = centered(gaussian, stepped, parents);
  }
}

Eigen::RowVectorXd CmaMargin::centered(const CmaGaussian& gaussian, Stepped& stepped,
                                       Eigen::RowVectorXd parents) const {
  const CmaGrid& grid = grid_of(stepped);
  const std::int64_t here = grid.cell(gaussian.mean[stepped.dimension]);
  stepped.mutation_chosen = false;
  double bias = 0;     // sum of the moves of the mutated parents
  double upwards = 0;  // sums of the possible moves of the others towards their own value
  double downwards = 0;
  for (double& position : parents) {
    const std::int64_t cell = grid.cell(position);
    const double to_value = grid.value(cell) - position;
    if (cell == here) {
      (to_value > 0 ? upwards : downwards) += to_value;
    } else {
      stepped.mutation_chosen = true;
      bias += to_value;
      position += to_value;
    }
  }
  const double available = bias < 0 ? upwards : downwards;
  if (bias * available >= 0) return parents;
  const double share = std::min(1.0, -bias / available);
  for (double& position : parents) {
    if (grid.cell(position) != here) continue;
    const double to_value = grid.value(here) - position;
    if (to_value * bias < 0) position += share * to_value;
  }
  return parents;
}

void CmaMargin::correct(CmaGaussian& gaussian) {
  for (Stepped& stepped : stepped_) {
    const CmaGrid& grid = grid_of(stepped);
    const std::int64_t cell = grid.cell(gaussian.mean[stepped.dimension]);
    if (cell == 0 || cell == grid.count() - 1) {
      correct_end(gaussian, stepped, cell);
    } else {
      correct_inside(gaussian, stepped, cell);
    }
  }
}

/// The mean is in an end cell with one border. It is moved to the distance at which the border is
/// crossed often enough.
void CmaMargin::correct_end(CmaGaussian& gaussian, Stepped& stepped, std::int64_t cell) const {
  const CmaGrid& grid = grid_of(stepped);
  const Eigen::Index i = stepped.dimension;
  const double border = grid.border(cell == 0 ? 1 : cell);
  const double side = cell == 0 ? -1 : 1;
  double& mean = gaussian.mean[i];
  double& stretch = gaussian.stretch[i];
  const double deviation = gaussian.deviation(i);

  double rate = normal_probability(-std::abs(border - mean) / (deviation * stretch));
  rate = std::max(rate, share_);
  if (!stepped.mutation_chosen) rate = std::min(rate, stepped.mutation_rate);
  rate = clipped(rate);
  // The stretch is wide enough to keep the margin when the mean is at the end value.
  stretch = std::max(
      stretch, std::abs(grid.value(cell) - border) / (deviation * deviations(clipped(share_))));
  mean = border + side * deviation * stretch * deviations(rate);
  stepped.mutation_rate = rate;
}

/// The mean is in a cell with two borders. The probability beyond each border is raised to at least
/// half the margin (and their sum is bounded by the last rate unless a mutation was selected); then
/// mean and stretch are solved for these probabilities.
void CmaMargin::correct_inside(CmaGaussian& gaussian, Stepped& stepped, std::int64_t cell) const {
  const CmaGrid& grid = grid_of(stepped);
  const Eigen::Index i = stepped.dimension;
  const double lower = grid.border(cell);
  const double upper = grid.border(cell + 1);
  double& mean = gaussian.mean[i];
  double& stretch = gaussian.stretch[i];
  const double deviation = gaussian.deviation(i);
  const double floor = share_ / 2;

  double below = normal_probability((lower - mean) / (deviation * stretch));
  double above = normal_probability((mean - upper) / (deviation * stretch));
  double inside = 1 - below - above;
  below = std::max(below, floor);
  above = std::max(above, floor);
  const double least_inside = stepped.mutation_chosen ? floor : 1 - stepped.mutation_rate;
  if (!stepped.mutation_chosen) inside = std::max(inside, least_inside);
  const double excess = 1 - below - above - inside;
  const double reducible = below + above + inside - share_ - least_inside;
  const double share = std::abs(reducible) > kSmallestShare ? excess / reducible : 0;
  below = clipped(below + share * (below - floor));
  above = clipped(above + share * (above - floor));

  const double to_lower = deviations(below);
  const double to_upper = deviations(above);
  stretch = (upper - lower) / ((to_lower + to_upper) * deviation);
  mean = (lower * to_upper + upper * to_lower) / (to_lower + to_upper);
  stepped.mutation_rate = below + above;
}

}  // namespace quantsearch
