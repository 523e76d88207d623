#include "finetune/solvers/code_pairs.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace quantsearch::reconstruction {

IntegerLimits limits_beside(const PairedInput& input, std::int32_t partner_code,
                            const IntegerLimits& limits) {
  if (!has_partner(input)) return limits;
  const double other = static_cast<double>(input.partner_maximum) * partner_code;
  const double low = std::ceil((static_cast<double>(kLowestPairSum) - other) / input.maximum);
  const double high = std::floor((static_cast<double>(kHighestPairSum) - other) / input.maximum);
  return {.low = std::max(limits.low, static_cast<std::int64_t>(low)),
          .high = std::min(limits.high, static_cast<std::int64_t>(high))};
}

CodePair cheapest_safe_pair(const PairCost& cost, const PairedInput& first,
                            const IntegerLimits& limits) {
  CodePair best;
  double least = std::numeric_limits<double>::infinity();
  const auto nearest = [](double wanted, const IntegerLimits& within) {
    return static_cast<std::int64_t>(std::clamp(
        std::nearbyint(wanted), static_cast<double>(within.low), static_cast<double>(within.high)));
  };
  const PairedInput second = {
      .partner = 0, .maximum = first.partner_maximum, .partner_maximum = first.maximum};
  // False when this code of the first input alone costs more than the best pair. Codes further away
  // cost even more.
  const auto try_first = [&](std::int64_t code) {
    const double away = static_cast<double>(code) - cost.wanted.first;
    const double own = cost.first_curvature * away * away;
    if (!(own < least)) return false;
    const double wanted = cost.wanted.second - cost.slope * away;
    const auto tried = static_cast<std::int32_t>(code);
    const std::int64_t other = nearest(wanted, limits_beside(second, tried, limits));
    const double rest = static_cast<double>(other) - wanted;
    const double all = own + cost.second_curvature * rest * rest;
    if (all < least) {
      least = all;
      best = {.first = tried, .second = static_cast<std::int32_t>(other)};
    }
    return true;
  };
  const std::int64_t start = nearest(cost.wanted.first, limits);
  for (std::int64_t code = start; code <= limits.high && try_first(code); ++code) {
  }
  for (std::int64_t code = start - 1; code >= limits.low && try_first(code); --code) {
  }
  return best;
}

RealPair project_onto_strip(const RealPair& wanted, const PairedInput& first) {
  const double sum = first.maximum * wanted.first + first.partner_maximum * wanted.second;
  const double inside =
      std::clamp(sum, static_cast<double>(kLowestPairSum), static_cast<double>(kHighestPairSum));
  if (sum == inside) return wanted;
  const double normal = static_cast<double>(first.maximum) * first.maximum +
                        static_cast<double>(first.partner_maximum) * first.partner_maximum;
  const double step = (sum - inside) / normal;
  return {.first = wanted.first - step * first.maximum,
          .second = wanted.second - step * first.partner_maximum};
}

std::span<const PairedInput> pairs_of_group(const LayerWeights& layer, std::int64_t group) {
  if (layer.grid.pairs.empty()) return {};
  const auto k = static_cast<std::size_t>(layer.shape.columns);
  const auto pairs = std::span<const PairedInput>(layer.grid.pairs)
                         .subspan(static_cast<std::size_t>(group) * k, k);
  const auto low = static_cast<std::int32_t>(layer.grid.limits.low);
  const auto high = static_cast<std::int32_t>(layer.grid.limits.high);
  const auto can_saturate = [&](const PairedInput& pair) {
    return !is_safe(pair, low, low) || !is_safe(pair, high, high);
  };
  return std::ranges::any_of(pairs, can_saturate) ? pairs : std::span<const PairedInput>();
}

void move_to_safe_codes(std::span<const PairedInput> pairs, std::span<const float> values,
                        float scale, std::int32_t zero_point, const IntegerLimits& limits,
                        std::span<std::int32_t> codes) {
  const auto wanted = [&](std::size_t at) {
    return static_cast<double>(values[at]) / static_cast<double>(scale) + zero_point;
  };
  for (std::size_t at = 0; at < pairs.size(); ++at) {
    const auto partner = static_cast<std::size_t>(pairs[at].partner);
    if (partner <= at || is_safe(pairs[at], codes[at], codes[partner])) continue;
    const CodePair safe = cheapest_safe_pair(
        {.wanted = {.first = wanted(at), .second = wanted(partner)}}, pairs[at], limits);
    codes[at] = safe.first;
    codes[partner] = safe.second;
  }
}

}  // namespace quantsearch::reconstruction
