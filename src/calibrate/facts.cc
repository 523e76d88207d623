// Finds tensors that must not be quantized. A mask is added to the scores of an attention so that a
// Softmax gives some positions no weight: it is 0 for a score that counts, and a substitute for
// minus infinity for one that does not. One scale for both would leave the scores no steps.
// docs/quantization.md, "Masks", states the rule and the reasons for its constants.

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string_view>

#include "calibrate/logarithms.h"
#include "quantsearch/calibrate.h"

namespace quantsearch {

namespace {

/// Exporters write -10000, -65504 (the lowest float16), -1e9 or -3.4e38 (the lowest float32).
/// Activations that a network computes stay below 10000 in magnitude: the largest known ones, of
/// language models, are some thousands.
constexpr double kLeastMask = 1e4;
/// No data tensor holds such values. A range that contains them is useless whatever the other
/// values are.
constexpr double kCertainMask = 1e30;
/// Mask values are one constant, or that constant plus a score, so all of them lie within this
/// share of the largest.
constexpr double kSpread = 0.1;
/// There is a gap below the mask values, which the tail of a distribution does not have: the other
/// values reach at most this share of the largest. One scale for both leaves them fewer than 4 of
/// 255 steps.
constexpr double kGap = 1.0 / 64;
/// When a smaller share of the values is that large, they are outliers. This does not apply when
/// all other values are 0.
constexpr double kLeastShare = 1e-3;

/// Numbers of values by magnitude, relative to the largest.
struct Shares {
  std::uint64_t near_largest = 0;
  std::uint64_t between = 0;
  std::uint64_t small = 0;
};

Shares shares_of(const Histogram& histogram, double largest) {
  Shares shares;
  const double width = histogram.bin_width();
  for (const auto* side : {&histogram.negative, &histogram.positive}) {
    for (std::size_t bin = 0; bin < side->size(); ++bin) {
      // A bin counts at its upper end, so that rounding never creates a gap.
      const double end = static_cast<double>(bin + 1) * width;
      std::uint64_t& share = end > (1 - kSpread) * largest  ? shares.near_largest
                             : end > kGap * largest + width ? shares.between
                                                            : shares.small;
      share += (*side)[bin];
    }
  }
  return shares;
}

double largest_magnitude(const TensorStatistics& statistics) {
  return std::max(std::abs(static_cast<double>(statistics.min)),
                  std::abs(static_cast<double>(statistics.max)));
}

float largest_value(const TensorStatistics& statistics) {
  return -statistics.min > statistics.max ? statistics.min : statistics.max;
}

std::optional<float> mask_in(const TensorStatistics& statistics) {
  const double largest = largest_magnitude(statistics);
  if (largest < kLeastMask) return std::nullopt;
  if (largest >= kCertainMask) return largest_value(statistics);
  const Shares shares = shares_of(statistics.histogram, largest);
  const std::uint64_t others = shares.between + shares.small;
  if (shares.between > 0 || others == 0) return std::nullopt;
  const bool is_pure = statistics.histogram.zeros == others;
  const double share =
      static_cast<double>(shares.near_largest) / static_cast<double>(statistics.count);
  if (!is_pure && share < kLeastShare) return std::nullopt;
  return largest_value(statistics);
}

/// True for operators that pass on mask values: unchanged, moved or combined with other values.
bool passes_masks_on(const Node& node) {
  static constexpr auto kOperators = std::to_array<std::string_view>(
      {"Add", "Cast", "Concat", "Div",       "Expand",    "Flatten", "Gather", "Identity",
       "Max", "Min",  "Mul",    "Neg",       "Reshape",   "Slice",   "Split",  "Squeeze",
       "Sub", "Sum",  "Tile",   "Transpose", "Unsqueeze", "Where"});
  return node.domain.empty() && std::ranges::find(kOperators, node.op_type) != kOperators.end();
}

/// Follows the masks in the order of the graph, starting from those found in the statistics.
void follow_masks(const Statistics& statistics, const Graph& graph, Facts& facts) {
  std::map<std::string, float, std::less<>> masks;
  for (const auto& [tensor, known] : facts) {
    if (known.mask) masks[tensor] = *known.mask;
  }
  for (const Node& node : graph.nodes) {
    if (!passes_masks_on(node)) continue;
    const auto read = std::ranges::find_if(
        node.inputs, [&](const std::string& input) { return masks.contains(input); });
    if (read == node.inputs.end()) continue;
    const float mask = masks.find(*read)->second;
    for (const std::string& output : node.outputs) {
      const auto seen = statistics.tensors.find(output);
      // A selection or a small factor may have removed the mask values.
      if (seen != statistics.tensors.end() &&
          largest_magnitude(seen->second) < kLeastMask * (1 - kSpread))
        continue;
      if (masks.try_emplace(output, mask).second) facts[output].mask = mask;
    }
  }
}

}  // namespace

Facts facts_of(const Statistics& statistics, const Graph& graph) {
  Facts facts;
  for (const auto& [tensor, seen] : statistics.tensors) {
    TensorFacts known{
        .is_empty = seen.count == 0 && seen.nan_count == 0 && seen.infinite_count == 0,
        .nan_count = seen.nan_count,
        .infinite_count = seen.infinite_count,
        .mask = seen.count > 0 ? mask_in(seen) : std::nullopt};
    if (known != TensorFacts{}) facts.emplace(tensor, known);
  }
  follow_masks(statistics, graph, facts);
  follow_logarithms(statistics, graph, facts);
  return facts;
}

}  // namespace quantsearch
