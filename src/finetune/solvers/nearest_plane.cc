#include "finetune/solvers/nearest_plane.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <tuple>
#include <utility>

#include "finetune/solvers/code_pairs.h"
#include "finetune/solvers/linear_algebra.h"
#include "finetune/solvers/pair_step.h"
#include "quantsearch/internal/base/sizes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "finetune/solvers/nearest_plane.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#ifndef QUANTSEARCH_FINETUNE_NEAREST_PLANE_PANEL
#define QUANTSEARCH_FINETUNE_NEAREST_PLANE_PANEL
namespace quantsearch::reconstruction {

/// The grids and costs of the rows that are solved together, each [lanes].
struct LaneGrids {
  const float* scales;
  const float* lows;
  const float* highs;
  const float* zero_points;
  float* costs;
  std::int64_t lanes;  // a multiple of the lanes of every vector
};

/// The state of the inputs of one panel, each [inputs][lanes].
struct Panel {
  const float* u;  // [inputs][inputs] at `u_stride`: u[j][i] = L[i][j]
  std::int64_t u_stride;
  std::int64_t inputs;
  const float* targets;
  float* errors;             // e, read and updated
  float* differences;        // d = q - t, written
  float* points;             // z, written
  const PairedInput* pairs;  // [inputs]; null: the codes are free
};

/// Chooses new points for `upper` and the input below it, for one lane whose pair is not safe.
void choose_safe_points(const Panel& panel, const LaneGrids& grids, std::int64_t lane,
                        std::int64_t upper);

}  // namespace quantsearch::reconstruction
#endif

HWY_BEFORE_NAMESPACE();
namespace quantsearch::reconstruction::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::ScalableTag<float>;

/// q_i = Q(t_i - e_i / L_ii); d = q_i - t_i; cost += (e_i + L_ii d)^2; e_j += L_ij d for j < i.
HWY_INLINE void solve_input(const Panel& panel, const LaneGrids& grids, std::int64_t lane,
                            std::int64_t input) {
  const Tag tag;
  const auto scale = hn::LoadU(tag, grids.scales + lane);
  const std::int64_t at = input * grids.lanes + lane;
  const float diagonal = panel.u[input * panel.u_stride + input];
  const auto target = hn::LoadU(tag, panel.targets + at);
  const auto error = hn::LoadU(tag, panel.errors + at);
  const auto wanted = hn::NegMulAdd(error, hn::Set(tag, 1.0F / diagonal), target);
  const auto point =
      hn::Min(hn::Max(hn::Round(hn::Div(wanted, scale)), hn::LoadU(tag, grids.lows + lane)),
              hn::LoadU(tag, grids.highs + lane));
  const auto difference = hn::MulSub(point, scale, target);
  const auto rest = hn::MulAdd(hn::Set(tag, diagonal), difference, error);
  hn::StoreU(hn::MulAdd(rest, rest, hn::LoadU(tag, grids.costs + lane)), tag, grids.costs + lane);
  hn::StoreU(point, tag, panel.points + at);
  hn::StoreU(difference, tag, panel.differences + at);
  for (std::int64_t other = 0; other < input; ++other) {
    float* const here = panel.errors + other * grids.lanes + lane;
    const auto factor = hn::Set(tag, panel.u[other * panel.u_stride + input]);
    hn::StoreU(hn::MulAdd(factor, difference, hn::LoadU(tag, here)), tag, here);
  }
}

/// Chooses new points in the lanes where those of `upper` and of the input below it form an unsafe
/// pair.
HWY_INLINE void keep_pair_safe(const Panel& panel, const LaneGrids& grids, std::int64_t lane,
                               std::int64_t upper) {
  const Tag tag;
  const PairedInput& pair = panel.pairs[upper];
  const auto zero_point = hn::LoadU(tag, grids.zero_points + lane);
  const auto code = [&](std::int64_t input) HWY_ATTR {
    return hn::Add(hn::LoadU(tag, panel.points + input * grids.lanes + lane), zero_point);
  };
  const auto sum = hn::MulAdd(hn::Set(tag, pair.maximum), code(upper),
                              hn::Mul(hn::Set(tag, pair.partner_maximum), code(upper - 1)));
  const auto is_unsafe =
      hn::Or(hn::Gt(sum, hn::Set(tag, kHighestPairSum)), hn::Lt(sum, hn::Set(tag, kLowestPairSum)));
  if (hn::AllFalse(tag, is_unsafe)) return;
  std::uint8_t bits[HWY_MAX_BYTES / sizeof(float) / 8 + 8] = {};
  hn::StoreMaskBits(tag, is_unsafe, bits);
  for (std::size_t at = 0; at < hn::Lanes(tag); ++at) {
    if ((bits[at / 8] >> (at % 8) & 1U) != 0)
      choose_safe_points(panel, grids, lane + static_cast<std::int64_t>(at), upper);
  }
}

void solve_panel(const Panel& panel, const LaneGrids& grids) {
  const auto step = static_cast<std::int64_t>(hn::Lanes(Tag()));
  for (std::int64_t lane = 0; lane < grids.lanes; lane += step) {
    for (std::int64_t input = panel.inputs; input-- > 0;) {
      solve_input(panel, grids, lane, input);
      const bool ends_pair = input % 2 == 0 && input + 1 < panel.inputs;
      if (panel.pairs != nullptr && ends_pair) keep_pair_safe(panel, grids, lane, input + 1);
    }
  }
}

/// out = in + factor * direction.
void move_along(const float* in, const float* direction, float factor, std::int64_t count,
                float* out) {
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

void choose_safe_points(const Panel& panel, const LaneGrids& grids, std::int64_t lane,
                        std::int64_t upper) {
  const std::int64_t lower = upper - 1;
  const auto at = [&](std::int64_t input) { return input * grids.lanes + lane; };
  const auto factor = [&](std::int64_t row, std::int64_t column) {
    return panel.u[row * panel.u_stride + column];
  };
  float& upper_difference = panel.differences[at(upper)];
  float& lower_difference = panel.differences[at(lower)];
  const float coupling = factor(lower, upper);
  const PairStep step = {.upper_target = panel.targets[at(upper)],
                         .lower_target = panel.targets[at(lower)],
                         .upper_error = panel.errors[at(upper)],
                         .lower_error = panel.errors[at(lower)] - coupling * upper_difference,
                         .upper_diagonal = factor(upper, upper),
                         .lower_diagonal = factor(lower, lower),
                         .coupling = coupling};
  const RowGrid grid = {.scale = grids.scales[lane],
                        .low = grids.lows[lane],
                        .high = grids.highs[lane],
                        .zero_point = grids.zero_points[lane]};
  const CodePair safe = safe_points(step, panel.pairs[upper], grid);
  panel.points[at(upper)] = static_cast<float>(safe.first);
  panel.points[at(lower)] = static_cast<float>(safe.second);
  const float upper_moved = panel.points[at(upper)] * grid.scale - step.upper_target;
  const float lower_moved = panel.points[at(lower)] * grid.scale - step.lower_target;
  grids.costs[lane] +=
      step.cost(upper_moved, lower_moved) - step.cost(upper_difference, lower_difference);
  for (std::int64_t other = 0; other < lower; ++other) {
    panel.errors[at(other)] += factor(other, upper) * (upper_moved - upper_difference) +
                               factor(other, lower) * (lower_moved - lower_difference);
  }
  upper_difference = upper_moved;
  lower_difference = lower_moved;
}

HWY_EXPORT(solve_panel);
HWY_EXPORT(move_along);

namespace {

constexpr std::int64_t kLaneMultiple = 16;  // floats of the widest vector
constexpr std::int64_t kPanelInputs = 64;

/// The rows in the layout [k][lanes]. Lanes after the last row are zero and have a grid whose only
/// value is zero.
struct LaneState {
  std::vector<float> scales, lows, highs, zero_points, costs, targets, errors, differences, points;
  std::int64_t lanes = 0;

  LaneState(std::int64_t k, std::span<const RowTask> tasks) {
    const auto count = static_cast<std::int64_t>(tasks.size());
    lanes = (count + kLaneMultiple - 1) / kLaneMultiple * kLaneMultiple;
    scales.assign(to_size(lanes), 1.0F);
    for (std::vector<float>* part : {&lows, &highs, &zero_points, &costs})
      part->assign(to_size(lanes), 0.0F);
    for (std::vector<float>* part : {&targets, &errors, &differences, &points})
      part->assign(to_size(k * lanes), 0.0F);
    for (std::int64_t lane = 0; lane < count; ++lane) {
      const RowTask& task = tasks[to_size(lane)];
      scales[to_size(lane)] = task.grid.scale;
      lows[to_size(lane)] = task.grid.low;
      highs[to_size(lane)] = task.grid.high;
      zero_points[to_size(lane)] = task.grid.zero_point;
      for (std::int64_t input = 0; input < k; ++input) {
        targets[to_size(input * lanes + lane)] = task.target[to_size(input)];
      }
    }
  }
};

/// The last step of a partial solution: its point and the partial solution that it extends.
struct Step {
  std::int32_t point = 0;
  std::int32_t parent = 0;
};

struct Candidate {
  float cost = 0;
  float rank = 0;  // the cost; for the first of a pair plus the least cost that its partner adds
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

/// True for the second input of a pair, whose partner has its point already.
bool is_lower(const Lattice& lattice, std::int64_t input) {
  return !lattice.pairs.empty() && has_partner(lattice.pairs[to_size(input)]) && input % 2 == 0;
}

/// For the first input of a pair, estimates how its point affects the partner, which comes next.
/// Without effect for other inputs.
class PairAhead {
 public:
  PairAhead(const Lattice& lattice, const RowTask& task, std::int64_t input, const float* errors)
      : lattice_(lattice), task_(task), input_(input) {
    if (lattice.pairs.empty() || !has_partner(lattice.pairs[to_size(input)]) || input % 2 == 0)
      return;
    const std::int64_t lower = input - 1;
    const auto k = static_cast<std::int64_t>(lattice.order.size());
    const Matrix<const float> l = matrix(lattice.l.data(), k, k);
    step_ = PairStep{.upper_target = task.target[to_size(input)],
                     .lower_target = task.target[to_size(lower)],
                     .upper_error = errors[input],
                     .lower_error = errors[lower],
                     .upper_diagonal = l.row(input)[input],
                     .lower_diagonal = l.row(lower)[lower],
                     .coupling = l.row(input)[lower]};
  }

  /// The value around which points are chosen: `alone`, unless the first point of the best safe
  /// pair differs from the point nearest to `alone`; then the value of that point.
  [[nodiscard]] float wanted(float alone) const {
    if (!step_) return alone;
    const auto nearest =
        std::clamp(std::nearbyint(alone / task_.grid.scale), task_.grid.low, task_.grid.high);
    const CodePair safe = safe_points(*step_, lattice_.pairs[to_size(input_)], task_.grid);
    return static_cast<float>(safe.first) == nearest
               ? alone
               : static_cast<float>(safe.first) * task_.grid.scale;
  }

  /// The least cost that the partner adds together with this point.
  [[nodiscard]] float cost(std::int32_t point) const {
    if (!step_) return 0;
    const RowGrid beside = grid_beside(task_.grid, lattice_.pairs[to_size(input_ - 1)], point);
    const float upper = static_cast<float>(point) * task_.grid.scale - step_->upper_target;
    const float error = step_->lower_error + step_->coupling * upper;
    const float wanted = (step_->lower_target - error / step_->lower_diagonal) / task_.grid.scale;
    const float lower =
        std::clamp(std::nearbyint(wanted), beside.low, beside.high) * task_.grid.scale -
        step_->lower_target;
    const float rest = error + step_->lower_diagonal * lower;
    return rest * rest;
  }

 private:
  const Lattice& lattice_;
  const RowTask& task_;
  std::int64_t input_;
  std::optional<PairStep> step_;
};

/// The partial solutions of one row, of which the best `beam` are kept after each input.
class BeamSearch {
 public:
  BeamSearch(const Lattice& lattice, const RowTask& task, int beam)
      : lattice_(lattice),
        task_(task),
        k_(static_cast<std::int64_t>(lattice.order.size())),
        beam_(beam),
        steps_(to_size(beam * k_)),
        errors_(to_size(beam * k_)),
        next_errors_(to_size(beam * k_)) {}

  RowResult run() {
    for (std::int64_t input = k_; input-- > 0;) {
      extend(input);
      keep_candidates(input);
    }
    RowResult result{.points = std::vector<std::int32_t>(to_size(k_)), .cost = costs_.front()};
    std::int32_t state = 0;
    for (std::int64_t input = 0; input < k_; ++input) {
      const Step& step = steps_[to_size(input * beam_ + state)];
      result.points[to_size(input)] = step.point;
      state = step.parent;
    }
    return result;
  }

 private:
  [[nodiscard]] bool is_full() const { return candidates_.size() == to_size(beam_); }

  /// The order of candidates, best first.
  [[nodiscard]] static bool comes_before(const Candidate& one, const Candidate& other) {
    if (one.rank != other.rank) return one.rank < other.rank;
    return std::pair(one.step.parent, one.step.point) <
           std::pair(other.step.parent, other.step.point);
  }

  /// Keeps the candidate if it is one of the best.
  void offer(const Candidate& candidate) {
    if (is_full()) {
      if (!comes_before(candidate, candidates_.back())) return;
      candidates_.pop_back();
    }
    candidates_.insert(std::ranges::upper_bound(candidates_, candidate, comes_before), candidate);
  }

  /// Makes the candidates: every partial solution with each of the nearest points of `input`, of
  /// which the best are kept.
  void extend(std::int64_t input) {
    // A wide beam is used for exactness, where the third and fourth point also matter.
    const int points_each = beam_ >= 16 ? 4 : 2;
    const float diagonal = row_of(input)[input];
    const float target = task_.target[to_size(input)];
    candidates_.clear();
    for (std::size_t state = 0; state < costs_.size(); ++state) {
      // No point lowers the cost, and of equal candidates those of earlier states are better.
      if (is_full() && costs_[state] >= candidates_.back().rank) continue;
      const float* const errors = errors_.data() + state * to_size(k_);
      const float error = errors[input];
      const PairAhead ahead(lattice_, task_, input, errors);
      RowGrid grid = task_.grid;
      if (is_lower(lattice_, input))
        grid = grid_beside(task_.grid, lattice_.pairs[to_size(input)], last_[state]);
      nearest_points(ahead.wanted(target - error / diagonal), grid, points_each, points_);
      for (const std::int32_t point : points_) {
        const float difference = static_cast<float>(point) * task_.grid.scale - target;
        const float rest = error + diagonal * difference;
        const float cost = costs_[state] + rest * rest;
        offer({.cost = cost,
               .rank = cost + ahead.cost(point),
               .difference = difference,
               .step = {.point = point, .parent = static_cast<std::int32_t>(state)}});
      }
    }
  }

  /// Makes the candidates the partial solutions.
  void keep_candidates(std::int64_t input) {
    const std::size_t kept = candidates_.size();
    costs_.resize(kept);
    last_.resize(kept);
    for (std::size_t state = 0; state < kept; ++state) {
      const Candidate& candidate = candidates_[state];
      costs_[state] = candidate.cost;
      last_[state] = candidate.step.point;
      steps_[to_size(input * beam_) + state] = candidate.step;
      HWY_DYNAMIC_DISPATCH(move_along)
      (errors_.data() + candidate.step.parent * k_, row_of(input), candidate.difference, input,
       next_errors_.data() + state * to_size(k_));
    }
    std::swap(errors_, next_errors_);
  }

  /// The row of L.
  [[nodiscard]] const float* row_of(std::int64_t input) const {
    return lattice_.l.data() + input * k_;
  }

  const Lattice& lattice_;
  const RowTask& task_;
  std::int64_t k_;
  int beam_;
  std::vector<Step> steps_;    // [k][beam], by state
  std::vector<float> errors_;  // [states][k]
  std::vector<float> next_errors_;
  std::vector<float> costs_ = {0.0F};     // [states]
  std::vector<std::int32_t> last_ = {0};  // [states]: the point of the previous input
  std::vector<Candidate> candidates_;     // sorted, at most `beam`
  std::vector<std::int32_t> points_;
};

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
    HWY_DYNAMIC_DISPATCH(solve_panel)
    ({.u = u.row(first) + first,
      .u_stride = k,
      .inputs = inputs,
      .targets = state.targets.data() + first * lanes,
      .errors = state.errors.data() + first * lanes,
      .differences = state.differences.data() + first * lanes,
      .points = state.points.data() + first * lanes,
      .pairs = lattice.pairs.empty() ? nullptr : lattice.pairs.data() + first},
     {state.scales.data(), state.lows.data(), state.highs.data(), state.zero_points.data(),
      state.costs.data(), lanes});
    add_product(
        u.block(0, first, first, inputs),
        Matrix<const float>(matrix(state.differences.data() + first * lanes, inputs, lanes)),
        matrix(state.errors.data(), first, lanes));
  }
  std::vector<RowResult> results(tasks.size());
  for (std::size_t lane = 0; lane < tasks.size(); ++lane) {
    results[lane].cost = state.costs[lane];
    results[lane].points.resize(to_size(k));
    for (std::int64_t input = 0; input < k; ++input) {
      results[lane].points[to_size(input)] =
          static_cast<std::int32_t>(state.points[to_size(input * lanes) + lane]);
    }
  }
  return results;
}

RowResult k_best(const Lattice& lattice, const RowTask& task, int beam) {
  return BeamSearch(lattice, task, beam).run();
}

void polish(const Lattice& lattice, const RowTask& task, int passes, RowResult& row) {
  const auto k = static_cast<std::int64_t>(lattice.order.size());
  std::vector<float> differences(to_size(k));
  for (std::int64_t input = 0; input < k; ++input) {
    differences[to_size(input)] = static_cast<float>(row.points[to_size(input)]) * task.grid.scale -
                                  task.target[to_size(input)];
  }
  std::vector<float> gradient(to_size(k));  // A (q - t)', half the gradient of the cost
  add_product_transposed(matrix(std::as_const(differences).data(), 1, k),
                         matrix(lattice.a.data(), k, k), matrix(gradient.data(), 1, k));
  const bool is_paired = !lattice.pairs.empty();
  const auto partner_of = [&](std::int64_t input) { return lattice.pairs[to_size(input)].partner; };
  for (int pass = 0; pass < passes; ++pass) {
    bool has_moved = false;
    for (std::int64_t input = k; input-- > 0;) {
      const float diagonal = lattice.a[to_size(input * k + input)];
      const auto point = static_cast<float>(row.points[to_size(input)]);
      const float wanted = point - gradient[to_size(input)] / (diagonal * task.grid.scale);
      const RowGrid grid = is_paired ? grid_beside(task.grid, lattice.pairs[to_size(input)],
                                                   row.points[to_size(partner_of(input))])
                                     : task.grid;
      const float moved = std::clamp(std::nearbyint(wanted), grid.low, grid.high);
      const float difference = (moved - point) * task.grid.scale;
      const double change =
          static_cast<double>(difference) *
          (2.0 * gradient[to_size(input)] + static_cast<double>(diagonal) * difference);
      if (!(change < 0)) continue;
      has_moved = true;
      row.points[to_size(input)] = static_cast<std::int32_t>(moved);
      row.cost += change;
      HWY_DYNAMIC_DISPATCH(move_along)
      (gradient.data(), lattice.a.data() + input * k, difference, k, gradient.data());
    }
    if (!has_moved) return;
  }
}

}  // namespace quantsearch::reconstruction
#endif  // HWY_ONCE
