#include "quantsearch/pipeline/operator_groups.h"

#include <algorithm>
#include <set>

#include "quantsearch/quantize.h"

namespace quantsearch {

namespace {

constexpr std::size_t kMostGroups = 6;

/// Layers by their kernels (operator_pattern). One kind of layer always stays on integers:
/// pointwise Convs and MatMuls with a weight gain most.
const std::vector<std::vector<std::string>>& layer_groups() {
  static const std::vector<std::vector<std::string>> groups = {
      {"Conv/depthwise"}, {"Conv/spatial"}, {"MatMul/dynamic"}, {"Conv/pointwise"}};
  return groups;
}

/// Operators that occur together, the likeliest to be slower as integers first.
const std::vector<std::vector<std::string>>& known_groups() {
  static const std::vector<std::vector<std::string>> groups = {
      {"HardSwish", "HardSigmoid", "Sigmoid", "Tanh", "LeakyRelu", "PRelu", "Elu", "Gelu",
       "Softplus", "Erf", "Exp", "Log", "Sqrt", "Pow", "Reciprocal"},
      layer_groups()[0],
      layer_groups()[1],
      layer_groups()[2],
      layer_groups()[3],
      {"Softmax", "LayerNormalization", "InstanceNormalization", "ReduceMean"},
      {"Mul", "Div"},
      {"Add", "Sub", "Sum"},
      {"AveragePool", "GlobalAveragePool", "MaxPool"},
      {"Concat", "Split", "Slice", "Resize", "Transpose", "Reshape", "Pad", "Gather", "Squeeze",
       "Unsqueeze", "Flatten"}};
  return groups;
}

}  // namespace

OperatorGroups operator_groups(const Model& model) {
  const GraphIndex index(model.graph);
  std::set<std::string> present;
  for (const Node& node : model.graph.nodes) {
    if (node.domain.empty()) present.insert(operator_pattern(index, node));
  }
  std::vector<std::string> quantized = default_op_types();
  for (const std::vector<std::string>& layers : layer_groups())
    quantized.insert(quantized.end(), layers.begin(), layers.end());
  OperatorGroups groups;
  for (const std::vector<std::string>& known : known_groups()) {
    std::vector<std::string> types;
    for (const std::string& type : known) {
      if (present.contains(type) && std::ranges::find(quantized, type) != quantized.end())
        types.push_back(type);
    }
    if (!types.empty() && groups.size() < kMostGroups) groups.push_back(std::move(types));
  }
  return groups;
}

}  // namespace quantsearch
