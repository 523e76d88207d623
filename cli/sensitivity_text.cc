#include "sensitivity_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "quantsearch/internal/quantize/option_keys.h"
#include "quantsearch/internal/report/text.h"
#include "quantsearch/pipeline/sensitivity_table.h"

namespace quantsearch::cli {

namespace {

using Cells = std::vector<std::string>;

/// The head of a table. An empty first cell indents it.
Cells head(bool is_timed, const char* name) {
  Cells cells = {"", "added noise", "removed noise", "bytes saved"};
  if (is_timed) cells.emplace_back("ms saved");
  cells.emplace_back(name);
  return cells;
}

/// The numbers of a row, which ends with a name.
template <typename Row>
Cells cells_of(const Row& row, bool is_timed, const std::string& name) {
  Cells cells = {"", fmt::format("{:.3g}", row.added_noise),
                 fmt::format("{:.3g}", row.removed_noise), std::to_string(row.bytes_saved)};
  if (is_timed) cells.push_back(fmt::format("{:.3f}", row.milliseconds_saved.value_or(0)));
  cells.push_back(name);
  return cells;
}

std::string layer_table(const SensitivityReport& report, std::size_t top, std::size_t width) {
  const std::size_t shown = std::min(top, report.layers.size());
  const PatternSensitivity total = sum_of(report.layers);
  const bool is_timed = total.milliseconds_saved.has_value();
  std::vector<Cells> rows = {head(is_timed, "layer")};
  for (std::size_t at = 0; at < shown; ++at) {
    const LayerSensitivity& layer = report.layers[at];
    rows.push_back(cells_of(layer, is_timed, fmt::format("{} ({})", layer.node, layer.pattern)));
  }
  if (shown < report.layers.size()) {
    rows.push_back(cells_of(sum_of(report.layers, shown), is_timed,
                            fmt::format("the other {}", report.layers.size() - shown)));
  }
  rows.push_back(cells_of(total, is_timed, fmt::format("all {} layers", report.layers.size())));
  return text_table(rows, width);
}

std::string pattern_table(const SensitivityReport& report, std::size_t width) {
  const bool is_timed = std::ranges::any_of(report.patterns, [](const PatternSensitivity& row) {
    return row.milliseconds_saved.has_value();
  });
  std::vector<Cells> rows = {head(is_timed, "kind")};
  for (const PatternSensitivity& row : report.patterns)
    rows.push_back(cells_of(row, is_timed, fmt::format("{} ({})", row.pattern, row.layers)));
  return text_table(rows, width);
}

/// A flow value of YAML, broken between its members. A name is not broken, so that the lines can be
/// pasted.
std::string pasteable(std::string_view key, const Value& value, std::size_t width) {
  const std::string json = to_json(value);
  std::string text = fmt::format("{}: ", key);
  std::size_t used = text.size();
  std::size_t begin = 0;
  while (begin < json.size()) {
    const std::size_t comma = json.find(",\"", begin);  // between members of a list or mapping
    const std::size_t end = comma == std::string::npos ? json.size() : comma + 1;
    const std::string member = json.substr(begin, end - begin);
    if (begin > 0) {
      const bool fits = used + 1 + columns_of(member) <= width;
      // Deeper than the key in quantization_config, wherever that is pasted.
      text += fits ? " " : "\n    ";
      used = fits ? used + 1 : 4;
    }
    text += member;
    used += columns_of(member);
    begin = end;
  }
  return text + '\n';
}

std::string remedies_text(const SensitivityRemedies& remedies, std::size_t width) {
  if (remedies.layers == 0) return "No layer adds noise.\n";
  std::string text = wrapped(
      fmt::format("{} add{} {:.0f} % of the noise. In quantization_config, to leave {} float:",
                  remedies.layers == 1 ? std::string("The worst layer")
                                       : fmt::format("The {} worst layers", remedies.layers),
                  remedies.layers == 1 ? "s" : "", 100 * remedies.share,
                  remedies.layers == 1 ? "it" : "them"),
      {.width = width});
  text += pasteable(keys::kExcludedNodes, remedies.nodes_to_exclude, width);
  if (!remedies.node_formats.as_map().empty()) {
    text += "or to give 16 bits instead:\n" +
            pasteable(keys::kNodeFormats, remedies.node_formats, width);
  }
  return text;
}

}  // namespace

std::string sensitivity_text(const SensitivityReport& report, std::size_t top, std::size_t width) {
  return fmt::format(
      "{} samples; with all layers quantized the outputs have rel_l2 {:.3g}\n\n{}\n{}\n{}",
      report.samples, report.quantized_noise, layer_table(report, top, width),
      pattern_table(report, width), remedies_text(remedies_of(report, top), width));
}

}  // namespace quantsearch::cli
