#include "sensitivity_text.h"

#include <fmt/core.h>

#include <algorithm>

#include "quantsearch/internal/quantize/option_keys.h"
#include "quantsearch/pipeline/sensitivity_table.h"

namespace quantsearch::cli {

namespace {

/// `is_timed`: with a column of times.
template <typename Row>
std::string numbers_of(const Row& row, bool is_timed) {
  return fmt::format("{:>14.3g}{:>15.3g}{:>13}{}\n", row.added_noise, row.removed_noise,
                     row.bytes_saved,
                     is_timed ? fmt::format("{:>11.3f}", row.milliseconds_saved.value_or(0)) : "");
}

std::string header_of_numbers(bool is_timed) {
  return fmt::format("{:>14}{:>15}{:>13}{}\n", "added noise", "removed noise", "bytes saved",
                     is_timed ? "   ms saved" : "");
}

std::string layer_table(const SensitivityReport& report, std::size_t top) {
  const std::size_t shown = std::min(top, report.layers.size());
  const std::string all = fmt::format("all {} layers", report.layers.size());
  const std::string rest = fmt::format("the other {}", report.layers.size() - shown);
  std::size_t name_width = std::max(all.size(), rest.size());
  std::size_t pattern_width = 4;
  for (std::size_t at = 0; at < shown; ++at) {
    name_width = std::max(name_width, report.layers[at].node.size());
    pattern_width = std::max(pattern_width, report.layers[at].pattern.size());
  }
  const auto begin = [&](const std::string& name, const std::string& pattern) {
    return fmt::format("{:<{}}  {:<{}}", name, name_width, pattern, pattern_width);
  };
  const PatternSensitivity total = sum_of(report.layers);
  const bool is_timed = total.milliseconds_saved.has_value();
  std::string text = begin("layer", "kind") + header_of_numbers(is_timed);
  for (std::size_t at = 0; at < shown; ++at) {
    const LayerSensitivity& layer = report.layers[at];
    text += begin(layer.node, layer.pattern) + numbers_of(layer, is_timed);
  }
  if (shown < report.layers.size())
    text += begin(rest, "") + numbers_of(sum_of(report.layers, shown), is_timed);
  return text + begin(all, "") + numbers_of(total, is_timed);
}

std::string pattern_table(const SensitivityReport& report) {
  std::size_t width = 4;
  bool is_timed = false;
  for (const PatternSensitivity& row : report.patterns) {
    width = std::max(width, row.pattern.size());
    is_timed = is_timed || row.milliseconds_saved;
  }
  std::string text =
      fmt::format("{:<{}}{:>8}", "kind", width, "layers") + header_of_numbers(is_timed);
  for (const PatternSensitivity& row : report.patterns)
    text += fmt::format("{:<{}}{:>8}", row.pattern, width, row.layers) + numbers_of(row, is_timed);
  return text;
}

std::string remedies_text(const SensitivityRemedies& remedies) {
  if (remedies.layers == 0) return "No layer adds noise.\n";
  std::string text = fmt::format(
      "{} add{} {:.0f} % of the noise. In quantization_config, to leave {} float:\n",
      remedies.layers == 1 ? std::string("The worst layer")
                           : fmt::format("The {} worst layers", remedies.layers),
      remedies.layers == 1 ? "s" : "", 100 * remedies.share, remedies.layers == 1 ? "it" : "them");
  text += fmt::format("{}: {}\n", keys::kExcludedNodes, to_json(remedies.nodes_to_exclude));
  if (!remedies.node_formats.as_map().empty()) {
    text += fmt::format("or to give 16 bits instead:\n{}: {}\n", keys::kNodeFormats,
                        to_json(remedies.node_formats));
  }
  return text;
}

}  // namespace

std::string sensitivity_text(const SensitivityReport& report, std::size_t top) {
  return fmt::format(
      "{} samples; with all layers quantized the outputs have rel_l2 {:.3g}\n\n{}\n{}\n{}",
      report.samples, report.quantized_noise, layer_table(report, top), pattern_table(report),
      remedies_text(remedies_of(report, top)));
}

}  // namespace quantsearch::cli
