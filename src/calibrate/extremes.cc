#include "quantsearch/calibrate.h"

namespace quantsearch {

ExtremesByTensor extremes_of(const Statistics& statistics) {
  ExtremesByTensor extremes;
  for (const auto& [tensor, seen] : statistics.tensors) {
    if (seen.count == 0) continue;
    extremes[tensor] = {.min = seen.min,
                        .max = seen.max,
                        .channels_last = seen.channels_last,
                        .channel_min = seen.channel_min,
                        .channel_max = seen.channel_max};
  }
  return extremes;
}

}  // namespace quantsearch
