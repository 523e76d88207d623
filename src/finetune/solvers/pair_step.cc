#include "finetune/solvers/pair_step.h"

namespace quantsearch::reconstruction {

namespace {

IntegerLimits code_limits(const RowGrid& grid) {
  return {.low = static_cast<std::int64_t>(grid.low + grid.zero_point),
          .high = static_cast<std::int64_t>(grid.high + grid.zero_point)};
}

}  // namespace

CodePair safe_points(const PairStep& step, const PairedInput& upper, const RowGrid& grid) {
  const double scale = grid.scale;
  const double zero_point = grid.zero_point;
  const auto code = [&](double value) { return value / scale + zero_point; };
  const double best_upper = -step.upper_error / step.upper_diagonal;
  const double best_lower = -(step.lower_error + step.coupling * best_upper) / step.lower_diagonal;
  const CodePair codes = cheapest_safe_pair(
      {.wanted = {.first = code(step.upper_target + best_upper),
                  .second = code(step.lower_target + best_lower)},
       .first_curvature = static_cast<double>(step.upper_diagonal) * step.upper_diagonal,
       .second_curvature = static_cast<double>(step.lower_diagonal) * step.lower_diagonal,
       .slope = static_cast<double>(step.coupling) / step.lower_diagonal},
      upper, code_limits(grid));
  const auto zero = static_cast<std::int32_t>(grid.zero_point);
  return {.first = codes.first - zero, .second = codes.second - zero};
}

RowGrid grid_beside(const RowGrid& grid, const PairedInput& input, std::int32_t partner_point) {
  const auto zero_point = static_cast<std::int32_t>(grid.zero_point);
  const IntegerLimits limits = limits_beside(input, partner_point + zero_point, code_limits(grid));
  RowGrid beside = grid;
  beside.low = static_cast<float>(limits.low - zero_point);
  beside.high = static_cast<float>(limits.high - zero_point);
  return beside;
}

}  // namespace quantsearch::reconstruction
