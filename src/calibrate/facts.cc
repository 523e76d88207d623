// Which tensors no quantizer may touch. A mask is added to the scores of an attention so that a
// Softmax gives nothing to some positions: 0 where a score counts, a stand-in for minus infinity
// where it does not. One scale for both would leave the scores no steps. docs/quantization.md,
// "Masks", has the rule and the reasons of its constants.

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string_view>

#include "calibrate/logarithms.h"
#include "quantsearch/calibrate.h"

namespace quantsearch {

namespace {

/// Exporters write -10000, -65504 (the least float16), -1e9 or -3.4e38 (the least float32).
/// Activations that a network computes stay below: the largest known of language models are some
/// thousands.
constexpr double kLeastMask = 1e4;
/// No tensor of data holds such values: whatever the rest is, a range that holds them has no use.
constexpr double kCertainMask = 1e30;
/// Mask values are one constant, or that constant plus a score: all lie within this share of the
/// largest.
constexpr double kSpread = 0.1;
/// The other values leave a gap, of which a tail has none: they reach at most this share of the
/// largest. One scale for both leaves them fewer than 4 of 255 steps.
constexpr double kGap = 1.0 / 64;
/// A tensor of which fewer values are that large has an outlier. Does not matter where all other
/// values are 0.
constexpr double kLeastShare = 1e-3;

/// Values by magnitude, relative to the largest.
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
      // A bin counts where its upper end lies, so that rounding never opens a gap.
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

/// Operators that pass mask values on: alone, moved or joined with others.
bool passes_masks_on(const Node& node) {
  static constexpr auto kOperators = std::to_array<std::string_view>(
      {"Add", "Cast", "Concat", "Div",       "Expand",    "Flatten", "Gather", "Identity",
       "Max", "Min",  "Mul",    "Neg",       "Reshape",   "Slice",   "Split",  "Squeeze",
       "Sub", "Sum",  "Tile",   "Transpose", "Unsqueeze", "Where"});
  return node.domain.empty() && std::ranges::find(kOperators, node.op_type) != kOperators.end();
}

/// In the order of the graph, from what the statistics know.
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
      // A selection, or a small factor, may have taken the mask values out.
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
