#include "finetune/nearest_plane.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "finetune/linear_algebra.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "finetune/nearest_plane.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#ifndef QUANTSEARCH_FINETUNE_NEAREST_PLANE_PANEL
#define QUANTSEARCH_FINETUNE_NEAREST_PLANE_PANEL
namespace quantsearch::reconstruction {

/// One value per row being solved, `lanes` of each.
struct LaneGrids {
  const float* scales;
  const float* lows;
  const float* highs;
  float* costs;
  std::int64_t lanes;  // a multiple of every vector's
};

/// The state of the inputs of one panel, each [inputs][lanes].
struct Panel {
  const float* u;  // [inputs][inputs] at `u_stride`: u[j][i] = L[i][j]
  std::int64_t u_stride;
  std::int64_t inputs;
  const float* targets;
  float* errors;       // e, read and changed
  float* differences;  // d = q - t, written
  float* points;       // z, written
};

}  // namespace quantsearch::reconstruction
#endif

HWY_BEFORE_NAMESPACE();
namespace quantsearch::reconstruction::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// q_i = Q(t_i - e_i / L_ii); d = q_i - t_i; cost += (e_i + L_ii d)^2; e_j += L_ij d for j < i.
void SolvePanel(const Panel& panel, const LaneGrids& grids) {
  const hn::ScalableTag<float> tag;
  const auto step = static_cast<std::int64_t>(hn::Lanes(tag));
  for (std::int64_t lane = 0; lane < grids.lanes; lane += step) {
    const auto scale = hn::LoadU(tag, grids.scales + lane);
    const auto low = hn::LoadU(tag, grids.lows + lane);
    const auto high = hn::LoadU(tag, grids.highs + lane);
    auto cost = hn::LoadU(tag, grids.costs + lane);
    for (std::int64_t input = panel.inputs; input-- > 0;) {
      const std::int64_t at = input * grids.lanes + lane;
      const float diagonal = panel.u[input * panel.u_stride + input];
      const auto target = hn::LoadU(tag, panel.targets + at);
      const auto error = hn::LoadU(tag, panel.errors + at);
      const auto wanted = hn::NegMulAdd(error, hn::Set(tag, 1.0F / diagonal), target);
      const auto point = hn::Min(hn::Max(hn::Round(hn::Div(wanted, scale)), low), high);
      const auto difference = hn::MulSub(point, scale, target);
      const auto rest = hn::MulAdd(hn::Set(tag, diagonal), difference, error);
      cost = hn::MulAdd(rest, rest, cost);
      hn::StoreU(point, tag, panel.points + at);
      hn::StoreU(difference, tag, panel.differences + at);
      for (std::int64_t other = 0; other < input; ++other) {
        float* const here = panel.errors + other * grids.lanes + lane;
        const auto factor = hn::Set(tag, panel.u[other * panel.u_stride + input]);
        hn::StoreU(hn::MulAdd(factor, difference, hn::LoadU(tag, here)), tag, here);
      }
    }
    hn::StoreU(cost, tag, grids.costs + lane);
  }
}

/// out = in + factor * direction.
void Move(const float* in, const float* direction, float factor, std::int64_t count, float* out) {
  const hn::ScalableTag<float> tag;
  const auto step = static_cast<std::int64_t>(hn::Lanes(tag));
  const auto by = hn::Set(tag, factor);
  std::int64_t at = 0;
  for (; at + step <= count; at += step) {
    hn::StoreU(hn::MulAdd(by, hn::LoadU(tag, direction + at), hn::LoadU(tag, in + at)), tag,
               out + at);
  }
  for (; at < count; ++at) out[at] = in[at] + factor * direction[at];
}

}  // namespace quantsearch::reconstruction::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quantsearch::reconstruction {

HWY_EXPORT(SolvePanel);
HWY_EXPORT(Move);

namespace {

constexpr std::int64_t kLaneMultiple = 16;  // the widest vector's floats
constexpr std::int64_t kPanelInputs = 64;

std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }

/// Rows side by side: [k][lanes], rows behind the last are zero with a grid that holds only zero.
struct LaneState {
  std::vector<float> scales, lows, highs, costs, targets, errors, differences, points;
  std::int64_t lanes = 0;

  LaneState(std::int64_t k, std::span<const RowTask> tasks) {
    const auto count = static_cast<std::int64_t>(tasks.size());
    lanes = (count + kLaneMultiple - 1) / kLaneMultiple * kLaneMultiple;
    scales.assign(size(lanes), 1.0F);
    for (std::vector<float>* part : {&lows, &highs, &costs}) part->assign(size(lanes), 0.0F);
    for (std::vector<float>* part : {&targets, &errors, &differences, &points})
      part->assign(size(k * lanes), 0.0F);
    for (std::int64_t lane = 0; lane < count; ++lane) {
      const RowTask& task = tasks[size(lane)];
      scales[size(lane)] = task.grid.scale;
      lows[size(lane)] = task.grid.low;
      highs[size(lane)] = task.grid.high;
      for (std::int64_t input = 0; input < k; ++input) {
        targets[size(input * lanes + lane)] = task.target[size(input)];
      }
    }
  }
};

/// A partial row: where it came from and the point its last step took.
struct Step {
  std::int32_t point = 0;
  std::int32_t parent = 0;
};

struct Candidate {
  float cost = 0;
  float difference = 0;
  Step step;
};

/// The points nearest to `wanted`, at most `count`, from near to far.
void nearest_points(float wanted, const RowGrid& grid, int count,
                    std::vector<std::int32_t>& points) {
  points.clear();
  const float scaled = wanted / grid.scale;
  const float first = std::clamp(std::nearbyint(scaled), grid.low, grid.high);
  points.push_back(static_cast<std::int32_t>(first));
  float below = first - 1;
  float above = first + 1;
  while (static_cast<int>(points.size()) < count) {
    const bool has_below = below >= grid.low;
    const bool has_above = above <= grid.high;
    if (!has_below && !has_above) return;
    const bool takes_below = has_below && (!has_above || scaled - below <= above - scaled);
    points.push_back(static_cast<std::int32_t>(takes_below ? below : above));
    (takes_below ? below : above) += takes_below ? -1.0F : 1.0F;
  }
}

}  // namespace

std::vector<RowResult> nearest_plane(const Lattice& lattice, std::span<const RowTask> tasks) {
  const auto k = static_cast<std::int64_t>(lattice.order.size());
  LaneState state(k, tasks);
  const std::int64_t lanes = state.lanes;
  const Matrix<const float> u = matrix(lattice.u.data(), k, k);
  const std::int64_t panels = (k + kPanelInputs - 1) / kPanelInputs;
  for (std::int64_t panel = panels; panel-- > 0;) {
    const std::int64_t first = panel * kPanelInputs;
    const std::int64_t inputs = std::min(kPanelInputs, k - first);
    HWY_DYNAMIC_DISPATCH(SolvePanel)
    ({.u = u.row(first) + first,
      .u_stride = k,
      .inputs = inputs,
      .targets = state.targets.data() + first * lanes,
      .errors = state.errors.data() + first * lanes,
      .differences = state.differences.data() + first * lanes,
      .points = state.points.data() + first * lanes},
     {state.scales.data(), state.lows.data(), state.highs.data(), state.costs.data(), lanes});
    add_product(
        u.block(0, first, first, inputs),
        Matrix<const float>(matrix(state.differences.data() + first * lanes, inputs, lanes)),
        matrix(state.errors.data(), first, lanes));
  }
  std::vector<RowResult> results(tasks.size());
  for (std::size_t lane = 0; lane < tasks.size(); ++lane) {
    results[lane].cost = state.costs[lane];
    results[lane].points.resize(size(k));
    for (std::int64_t input = 0; input < k; ++input) {
      results[lane].points[size(input)] =
          static_cast<std::int32_t>(state.points[size(input * lanes) + lane]);
    }
  }
  return results;
}

RowResult k_best(const Lattice& lattice, const RowTask& task, int beam) {
  const auto k = static_cast<std::int64_t>(lattice.order.size());
  // A wide beam is asked for exactness: then the third and fourth point matter, too.
  const int points_each = beam >= 16 ? 4 : 2;
  std::vector<std::vector<Step>> steps(size(k));
  std::vector<float> errors(size(beam * k));
  std::vector<float> next(size(beam * k));
  std::vector<float> costs = {0.0F};
  std::vector<Candidate> candidates;
  std::vector<std::int32_t> points;
  for (std::int64_t input = k; input-- > 0;) {
    const float* const row = lattice.l.data() + input * k;
    const float target = task.target[size(input)];
    candidates.clear();
    for (std::size_t state = 0; state < costs.size(); ++state) {
      const float error = errors[state * size(k) + size(input)];
      nearest_points(target - error / row[input], task.grid, points_each, points);
      for (const std::int32_t point : points) {
        const float difference = static_cast<float>(point) * task.grid.scale - target;
        const float rest = error + row[input] * difference;
        candidates.push_back(
            {.cost = costs[state] + rest * rest,
             .difference = difference,
             .step = {.point = point, .parent = static_cast<std::int32_t>(state)}});
      }
    }
    const std::size_t kept = std::min(candidates.size(), size(beam));
    std::ranges::partial_sort(candidates, candidates.begin() + static_cast<std::ptrdiff_t>(kept),
                              {}, [](const Candidate& candidate) {
                                return std::tuple(candidate.cost, candidate.step.parent,
                                                  candidate.step.point);
                              });
    costs.resize(kept);
    for (std::size_t state = 0; state < kept; ++state) {
      const Candidate& candidate = candidates[state];
      costs[state] = candidate.cost;
      steps[size(input)].push_back(candidate.step);
      HWY_DYNAMIC_DISPATCH(Move)
      (errors.data() + candidate.step.parent * k, row, candidate.difference, input,
       next.data() + state * size(k));
    }
    std::swap(errors, next);
  }
  RowResult result{.points = std::vector<std::int32_t>(size(k)), .cost = costs.front()};
  std::int32_t state = 0;
  for (std::int64_t input = 0; input < k; ++input) {
    const Step& step = steps[size(input)][size(state)];
    result.points[size(input)] = step.point;
    state = step.parent;
  }
  return result;
}

void polish(const Lattice& lattice, const RowTask& task, int passes, RowResult& row) {
  const auto k = static_cast<std::int64_t>(lattice.order.size());
  std::vector<float> differences(size(k));
  for (std::int64_t input = 0; input < k; ++input) {
    differences[size(input)] =
        static_cast<float>(row.points[size(input)]) * task.grid.scale - task.target[size(input)];
  }
  std::vector<float> gradient(size(k));  // A (q - t)', half the gradient of the cost
  add_product_transposed(matrix(std::as_const(differences).data(), 1, k),
                         matrix(lattice.a.data(), k, k), matrix(gradient.data(), 1, k));
  for (int pass = 0; pass < passes; ++pass) {
    bool has_moved = false;
    for (std::int64_t input = k; input-- > 0;) {
      const float diagonal = lattice.a[size(input * k + input)];
      const auto point = static_cast<float>(row.points[size(input)]);
      const float wanted = point - gradient[size(input)] / (diagonal * task.grid.scale);
      const float moved = std::clamp(std::nearbyint(wanted), task.grid.low, task.grid.high);
      const float difference = (moved - point) * task.grid.scale;
      const double change =
          static_cast<double>(difference) *
          (2.0 * gradient[size(input)] + static_cast<double>(diagonal) * difference);
      if (!(change < 0)) continue;
      has_moved = true;
      row.points[size(input)] = static_cast<std::int32_t>(moved);
      row.cost += change;
      HWY_DYNAMIC_DISPATCH(Move)
      (gradient.data(), lattice.a.data() + input * k, difference, k, gradient.data());
    }
    if (!has_moved) return;
  }
}

}  // namespace quantsearch::reconstruction
#endif  // HWY_ONCE
