#include "check_text.h"

#include <fmt/core.h>

namespace quantsearch::cli {

std::string check_text(const DeliveryCheck& check) {
  std::string text =
      fmt::format("run on {} calibration samples beside the float model\n{:<32}{:>16}{:>16}\n",
                  check.samples, "output", "relative noise", "worst slice");
  for (const OutputNoise& output : check.outputs) {
    text += output.skipped.empty() ? fmt::format("{:<32}{:>16.3g}{:>16.3g}\n", output.output,
                                                 output.rel_l2, output.worst_slice)
                                   : fmt::format("{:<32}{}\n", output.output, output.skipped);
  }
  const PairedLatency& latency = check.latency;
  text += fmt::format(
      "latency {:.3g} ms, float {:.3g} ms: {:.2f} times (medians of {} runs in turns on one "
      "thread)\n",
      latency.quantized_ms, latency.float_ms, latency.ratio, latency.pairs);
  return text;
}

}  // namespace quantsearch::cli
