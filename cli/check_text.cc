#include "check_text.h"

#include <fmt/core.h>

namespace quantsearch::cli {

namespace {

Value output_value(const OutputNoise& output) {
  if (!output.skipped.empty())
    return Value::Map{{"output", output.output}, {"skipped", output.skipped}};
  Value value = Value::Map{
      {"output", output.output}, {"rel_l2", output.rel_l2}, {"worst_slice", output.worst_slice}};
  if (output.graph_rel_l2) value.set("graph_rel_l2", *output.graph_rel_l2);
  return value;
}

}  // namespace

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

Value check_value(const DeliveryCheck& check) {
  Value::List outputs;
  for (const OutputNoise& output : check.outputs) outputs.push_back(output_value(output));
  Value::List warnings;
  for (const std::string& warning : delivery_warnings(check)) warnings.emplace_back(warning);
  return Value::Map{{"samples", check.samples},
                    {"outputs", outputs},
                    {"latency", Value::Map{{"float_ms", check.latency.float_ms},
                                           {"quantized_ms", check.latency.quantized_ms},
                                           {"ratio", check.latency.ratio},
                                           {"pairs", check.latency.pairs}}},
                    {"warnings", warnings}};
}

}  // namespace quantsearch::cli
