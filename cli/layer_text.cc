#include "layer_text.h"

#include <fmt/core.h>

#include <map>

#include "quantsearch/internal/base/names.h"

namespace quantsearch::cli {

namespace {

constexpr std::size_t kShown = 4;  // nodes named for each reason

struct Count {
  int quantized = 0;
  int left_float = 0;
};

}  // namespace

std::string layers_text(const std::vector<LayerRecord>& layers) {
  std::map<std::string, Count> counts;
  std::map<std::string, std::vector<std::string>> reasons;
  for (const LayerRecord& layer : layers) {
    ++(layer.quantized ? counts[layer.op_type].quantized : counts[layer.op_type].left_float);
    if (!layer.reason.empty()) reasons[layer.op_type + ": " + layer.reason].push_back(layer.node);
  }
  std::string text = fmt::format("{:<24}{:>10}{:>10}\n", "operator", "quantized", "float");
  for (const auto& [op_type, count] : counts)
    text += fmt::format("{:<24}{:>10}{:>10}\n", op_type, count.quantized, count.left_float);
  for (const auto& [reason, nodes] : reasons)
    text += fmt::format("{} ({}): {}\n", reason, nodes.size(), some_of(nodes, kShown));
  return text;
}

}  // namespace quantsearch::cli
