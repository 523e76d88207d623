#pragma once

// Kernels for x86 processors without VNNI multiply uint8 inputs by int8 weights two at a time and
// add the two products in 16 bits with saturation (docs/targets.md). A layer that must be exact on
// them keeps the codes of two paired inputs in a strip:
//   -32768 <= m1 c1 + m2 c2 <= 32767,  m1, m2 the largest stored values of the two inputs.
// Codes of different signs are always inside, because one product alone is at most 255 * 128.

#include <cstdint>
#include <span>
#include <vector>

#include "finetune/solvers/layer_problem.h"

namespace quantsearch::reconstruction {

inline constexpr float kLowestPairSum = -32768;
inline constexpr float kHighestPairSum = 32767;

[[nodiscard]] inline bool has_partner(const PairedInput& input) {
  return input.maximum > 0 && input.partner_maximum > 0;
}
[[nodiscard]] inline bool is_safe(const PairedInput& input, std::int32_t code,
                                  std::int32_t partner_code) {
  const float sum = input.maximum * static_cast<float>(code) +
                    input.partner_maximum * static_cast<float>(partner_code);
  return sum >= kLowestPairSum && sum <= kHighestPairSum;
}

/// The codes in `limits` that are safe together with this code of the partner. Never empty.
[[nodiscard]] IntegerLimits limits_beside(const PairedInput& input, std::int32_t partner_code,
                                          const IntegerLimits& limits);

struct RealPair {
  double first = 0;
  double second = 0;
  bool operator==(const RealPair&) const = default;
};
struct CodePair {
  std::int32_t first = 0;
  std::int32_t second = 0;
  bool operator==(const CodePair&) const = default;
};

/// a (c1 - w1)^2 + b (c2 - w2 + slope (c1 - w1))^2, which can be any convex quadratic of two codes.
struct PairCost {
  RealPair wanted;
  double first_curvature = 1;   // a
  double second_curvature = 1;  // b
  double slope = 0;
};
/// The safe pair of codes in `limits` with the least cost. `first` describes the first input.
[[nodiscard]] CodePair cheapest_safe_pair(const PairCost& cost, const PairedInput& first,
                                          const IntegerLimits& limits);

/// The point of the strip that is nearest to `wanted`, in units of codes.
[[nodiscard]] RealPair project_onto_strip(const RealPair& wanted, const PairedInput& first);

/// The pairs of one group [columns]; empty when all codes in the limits are safe.
[[nodiscard]] std::span<const PairedInput> pairs_of_group(const LayerWeights& layer,
                                                          std::int64_t group);

/// Replaces each unsafe pair of codes of one row by the safe pair nearest to the float weights
/// `values`.
void move_to_safe_codes(std::span<const PairedInput> pairs, std::span<const float> values,
                        float scale, std::int32_t zero_point, const IntegerLimits& limits,
                        std::span<std::int32_t> codes);

}  // namespace quantsearch::reconstruction
