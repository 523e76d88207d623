#include "check_text.h"

#include <fmt/core.h>

#include <vector>

#include "quantsearch/internal/report/text.h"

namespace quantsearch::cli {

std::string check_text(const DeliveryCheck& check, std::size_t width) {
  std::vector<std::vector<std::string>> rows = {{"output", "relative noise", "worst slice", ""}};
  for (const OutputNoise& output : check.outputs) {
    if (output.skipped.empty()) {
      rows.push_back({output.output, fmt::format("{:.3g}", output.rel_l2),
                      fmt::format("{:.3g}", output.worst_slice), ""});
    } else {
      rows.push_back({output.output, "", "", output.skipped});
    }
  }
  const PairedLatency& latency = check.latency;
  const auto line = [width](const std::string& text) {
    return wrapped(text, {.width = width, .indent = 2});
  };
  return line(fmt::format("run on {} calibration samples beside the float model", check.samples)) +
         text_table(rows, width) +
         line(fmt::format("latency {:.3g} ms, float {:.3g} ms: {:.2f} times (medians of {} runs in "
                          "turns on one thread)",
                          latency.quantized_ms, latency.float_ms, latency.ratio, latency.pairs));
}

}  // namespace quantsearch::cli
