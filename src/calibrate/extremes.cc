#include "quantsearch/calibrate.h"

namespace quantsearch {

ExtremesByTensor extremes_of(const Statistics& statistics) {
  ExtremesByTensor extremes;
  for (const auto& [tensor, seen] : statistics.tensors) {
    if (seen.count == 0) continue;
    extremes[tensor] = {.count = seen.count,
                        .min = seen.min,
                        .max = seen.max,
                        .channels_last = seen.channels_last,
                        .channel_moments = {},
                        .channel_max = seen.channel_max};
    for (std::size_t channel = 0; channel < seen.channel_mean.size(); ++channel) {
      extremes[tensor].channel_moments.push_back(
          {.mean = seen.channel_mean[channel], .mean_square = seen.channel_mean_square[channel]});
    }
  }
  return extremes;
}

}  // namespace quantsearch
