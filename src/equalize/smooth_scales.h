#pragma once

// Computes how much of the spread of activations moves into weights.

#include <optional>
#include <string>
#include <vector>

#include "equalize/smooth_inputs.h"
#include "quantsearch/equalize.h"

namespace quantsearch::equalizing {

/// Statistics of the channels of one input, [channels] each.
struct ChannelRanges {
  std::vector<double> low;   // at most 0
  std::vector<double> high;  // at least 0
  std::vector<double> mean_square;
};
/// Absent when the statistics do not describe the channels of this input.
[[nodiscard]] std::optional<ChannelRanges> channel_ranges(const Statistics& statistics,
                                                          const SmoothInput& input);

/// A layer and the input that it reads.
struct SmoothReader {
  int input = 0;                       // index into the ranges
  const LinearLayer* layer = nullptr;  // never null
  std::vector<double>
      of_outputs;  // [outputs] what its output is multiplied by already; empty: nothing
  // [channels] largest |weight| of each input channel, with of_outputs.
  std::vector<double> largest;
  std::vector<double> squares;  // [channels] sums of squares of the same weights
};
[[nodiscard]] SmoothReader smooth_reader(int input, const LinearLayer& layer,
                                         std::vector<double> of_outputs);

struct SmoothChoice {
  double alpha = 0;
  std::vector<double> scales;  // [channels]: activations are divided by it
  double share = 1;            // expected error over that without scales, when alpha was chosen
};

/// Scales of one group. Absent when every channel is dead or no alpha lowers the expected error.
[[nodiscard]] std::optional<SmoothChoice> smooth_choice(const std::vector<ChannelRanges>& ranges,
                                                        const std::vector<SmoothReader>& readers,
                                                        const SmoothOptions& options);

/// Expected squared error of the outputs that is caused by rounding activations and weights to 8
/// bits, when activations are divided by `scales`.
[[nodiscard]] double expected_error(const std::vector<ChannelRanges>& ranges,
                                    const std::vector<SmoothReader>& readers,
                                    const std::vector<double>& scales, bool per_channel_weights);

}  // namespace quantsearch::equalizing
