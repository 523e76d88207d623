#include "layer_text.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <regex>
#include <utility>

#include "quantsearch/internal/base/names.h"
#include "quantsearch/internal/report/text.h"

namespace quantsearch::cli {

namespace {

constexpr std::size_t kShown = 3;  // nodes named for each reason

struct Count {
  int quantized = 0;
  int left_float = 0;
};

/// The nodes that have one reason.
struct Group {
  std::vector<std::string> reasons;  // that differ in the names of tensors
  std::vector<std::string> nodes;
  std::map<std::string, int> operators;
};

/// "Gather 9, Concat 8": most first.
std::string counts_text(const std::map<std::string, int>& counts) {
  std::vector<std::pair<int, std::string>> order;
  for (const auto& [name, count] : counts) order.emplace_back(-count, name);
  std::ranges::sort(order);
  std::vector<std::string> parts;
  for (const auto& [negative, name] : order) parts.push_back(fmt::format("{} {}", name, -negative));
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// A reason without the names of tensors, which are different for each node.
std::string pattern_of(const std::string& reason) {
  static const std::regex kTensor("(tensor|output|constant) '[^']*'");
  return std::regex_replace(reason, kTensor, "$1");
}

std::string group_text(const std::string& pattern, const Group& group, std::size_t width) {
  const std::string reason = group.reasons.size() == 1 ? group.reasons.front() : pattern;
  return wrapped(fmt::format("{}: {}", counts_text(group.operators), reason),
                 {.width = width, .indent = 4, .first = "  "}) +
         wrapped(some_of(group.nodes, kShown), {.width = width, .indent = 6, .first = "      "});
}

std::string table_of(const std::vector<LayerRecord>& layers) {
  std::map<std::string, Count> counts;
  int shapes = 0;
  for (const LayerRecord& layer : layers) {
    if (layer.computes_integers && !layer.quantized) {
      ++shapes;
    } else {
      ++(layer.quantized ? counts[layer.op_type].quantized : counts[layer.op_type].left_float);
    }
  }
  std::vector<std::pair<std::string, Count>> rows(counts.begin(), counts.end());
  std::ranges::stable_sort(rows, std::greater<>(), [](const auto& row) {
    return std::pair(row.second.quantized, row.second.left_float);
  });
  std::string text = fmt::format("{:<24}{:>10}{:>10}\n", "operator", "quantized", "float");
  for (const auto& [op_type, count] : rows)
    text += fmt::format("{:<24}{:>10}{:>10}\n", op_type, count.quantized, count.left_float);
  if (shapes > 0) text += fmt::format("{:<24}{:>10}{:>10}\n", "shapes and indices", 0, shapes);
  return text;
}

}  // namespace

std::string layers_text(const std::vector<LayerRecord>& layers, std::size_t width) {
  std::map<std::string, Group> groups[2];  // of nodes that stay float, and of quantized nodes
  std::map<std::string, int> shapes;
  for (const LayerRecord& layer : layers) {
    if (layer.computes_integers && !layer.quantized) {
      ++shapes[layer.op_type];
    } else if (!layer.reason.empty()) {
      Group& group = groups[layer.quantized ? 1 : 0][pattern_of(layer.reason)];
      if (std::ranges::find(group.reasons, layer.reason) == group.reasons.end())
        group.reasons.push_back(layer.reason);
      group.nodes.push_back(layer.node);
      ++group.operators[layer.op_type];
    }
  }
  std::string text = table_of(layers);
  const char* const titles[2] = {"\nfloat:\n",
                                 "\nquantized, but not on an integer kernel as it is:\n"};
  for (const std::size_t kind : {0U, 1U}) {
    std::vector<std::pair<std::string, const Group*>> order;
    for (const auto& [pattern, group] : groups[kind]) order.emplace_back(pattern, &group);
    std::ranges::stable_sort(order, std::greater<>(),
                             [](const auto& entry) { return entry.second->nodes.size(); });
    const bool has_shapes = kind == 0 && !shapes.empty();
    if (!order.empty() || has_shapes) text += titles[kind];
    for (const auto& [pattern, group] : order) text += group_text(pattern, *group, width);
    if (has_shapes) {
      text += wrapped(
          fmt::format("{}: shapes and indices, which are integers already", counts_text(shapes)),
          {.width = width, .indent = 4, .first = "  "});
    }
  }
  return text;
}

}  // namespace quantsearch::cli
