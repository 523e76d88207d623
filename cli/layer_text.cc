#include "layer_text.h"

#include <fmt/core.h>

#include <map>

namespace quantsearch::cli {

namespace {

struct Count {
  int quantized = 0;
  int left_float = 0;
};

/// "conv1, conv2, conv3 and 12 more"
std::string some_names(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 4;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kShown; ++i) text += (i > 0 ? ", " : "") + names[i];
  if (names.size() > kShown) text += fmt::format(" and {} more", names.size() - kShown);
  return text;
}

}  // namespace

std::string layers_text(const std::vector<LayerRecord>& layers) {
  std::map<std::string, Count> counts;
  std::map<std::string, std::vector<std::string>> reasons;
  for (const LayerRecord& layer : layers) {
    ++(layer.quantized ? counts[layer.op_type].quantized : counts[layer.op_type].left_float);
    if (!layer.reason.empty()) reasons[layer.op_type + ": " + layer.reason].push_back(layer.node);
  }
  std::string text = fmt::format("{:<24}{:>10}{:>10}\n", "operator", "quantized", "float");
  for (const auto& [op_type, count] : counts) text += fmt::format("{:<24}{:>10}{:>10}\n", op_type, count.quantized, count.left_float);
  for (const auto& [reason, nodes] : reasons) text += fmt::format("{} ({}): {}\n", reason, nodes.size(), some_names(nodes));
  return text;
}

Value layers_value(const std::vector<LayerRecord>& layers) {
  Value::List list;
  for (const LayerRecord& layer : layers) {
    list.push_back(Value::Map{{"node", layer.node}, {"op_type", layer.op_type}, {"quantized", layer.quantized}, {"reason", layer.reason}});
  }
  return list;
}

}  // namespace quantsearch::cli
