#include "sensitivity_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <vector>

#include "quantsearch/internal/quantize/option_keys.h"
#include "quantsearch/pipeline/settings.h"

namespace quantsearch::cli {

namespace {

/// The sum of the rows [first, end).
PatternSensitivity sum_of(const std::vector<LayerSensitivity>& layers, std::size_t first) {
  PatternSensitivity sum;
  for (std::size_t at = first; at < layers.size(); ++at) {
    ++sum.layers;
    sum.added_noise += layers[at].added_noise;
    sum.removed_noise += layers[at].removed_noise;
    sum.bytes_saved += layers[at].bytes_saved;
  }
  return sum;
}

template <typename Row>
std::string numbers_of(const Row& row) {
  return fmt::format("{:>14.3g}{:>15.3g}{:>13}\n", row.added_noise, row.removed_noise,
                     row.bytes_saved);
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
  std::string text = begin("layer", "kind") + fmt::format("{:>14}{:>15}{:>13}\n", "added noise",
                                                          "removed noise", "bytes saved");
  for (std::size_t at = 0; at < shown; ++at) {
    const LayerSensitivity& layer = report.layers[at];
    text += begin(layer.node, layer.pattern) + numbers_of(layer);
  }
  if (shown < report.layers.size())
    text += begin(rest, "") + numbers_of(sum_of(report.layers, shown));
  return text + begin(all, "") + numbers_of(sum_of(report.layers, 0));
}

std::string pattern_table(const SensitivityReport& report) {
  std::size_t width = 4;
  for (const PatternSensitivity& row : report.patterns) width = std::max(width, row.pattern.size());
  std::string text = fmt::format("{:<{}}{:>8}{:>14}{:>15}{:>13}\n", "kind", width, "layers",
                                 "added noise", "removed noise", "bytes saved");
  for (const PatternSensitivity& row : report.patterns)
    text += fmt::format("{:<{}}{:>8}", row.pattern, width, row.layers) + numbers_of(row);
  return text;
}

/// What a user may paste into quantization_config.
struct Remedies {
  std::size_t layers = 0;
  double share = 0;  // of the noise that all layers add
  Value nodes_to_exclude = Value::List{};
  Value node_formats = Value::Map{};
};

Remedies remedies_of(const SensitivityReport& report, std::size_t top) {
  Remedies remedies{.layers = worst_layers(report, top)};
  Value::List excluded;
  std::map<std::string, NodeFormat> formats;
  double named = 0;
  for (std::size_t at = 0; at < remedies.layers; ++at) {
    const LayerSensitivity& layer = report.layers[at];
    named += layer.added_noise;
    excluded.insert(excluded.end(), layer.members.begin(), layer.members.end());
    formats.insert(layer.wide_formats.begin(), layer.wide_formats.end());
  }
  const double total = sum_of(report.layers, 0).added_noise;
  if (total > 0) remedies.share = named / total;
  remedies.nodes_to_exclude = std::move(excluded);
  remedies.node_formats = with_node_formats({}, formats).at(std::string(keys::kNodeFormats));
  return remedies;
}

std::string remedies_text(const Remedies& remedies) {
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

Value names_value(const std::vector<std::string>& names) {
  return Value::List(names.begin(), names.end());
}

template <typename Row>
void set_numbers(Value& value, const Row& row) {
  value.set("added_noise", row.added_noise);
  value.set("removed_noise", row.removed_noise);
  value.set("bytes_saved", row.bytes_saved);
}

}  // namespace

std::string sensitivity_text(const SensitivityReport& report, std::size_t top) {
  return fmt::format(
      "{} samples; with all layers quantized the outputs have rel_l2 {:.3g}\n\n{}\n{}\n{}",
      report.samples, report.quantized_noise, layer_table(report, top), pattern_table(report),
      remedies_text(remedies_of(report, top)));
}

Value sensitivity_value(const SensitivityReport& report, std::size_t top) {
  Value::List layers;
  for (const LayerSensitivity& layer : report.layers) {
    Value row = Value::Map{{"node", layer.node},
                           {"op_type", layer.op_type},
                           {"kind", layer.pattern},
                           {"members", names_value(layer.members)}};
    set_numbers(row, layer);
    layers.push_back(std::move(row));
  }
  Value::List patterns;
  for (const PatternSensitivity& pattern : report.patterns) {
    Value row = Value::Map{{"kind", pattern.pattern}, {"layers", pattern.layers}};
    set_numbers(row, pattern);
    patterns.push_back(std::move(row));
  }
  Value total(Value::Map{});
  set_numbers(total, sum_of(report.layers, 0));
  const Remedies remedies = remedies_of(report, top);
  return Value::Map{{"samples", report.samples},
                    {"quantized_rel_l2", report.quantized_noise},
                    {"models", report.models},
                    {"share_run", report.share_run},
                    {"kept_bytes", report.kept_bytes},
                    {"layers", layers},
                    {"kinds", patterns},
                    {"total", total},
                    {"worst_layers", static_cast<std::int64_t>(remedies.layers)},
                    {std::string(keys::kExcludedNodes), remedies.nodes_to_exclude},
                    {std::string(keys::kNodeFormats), remedies.node_formats}};
}

}  // namespace quantsearch::cli
