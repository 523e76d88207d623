#include "quantsearch/pipeline/operator_groups.h"

#include <algorithm>
#include <set>

#include "quantsearch/quantize.h"

namespace quantsearch {

namespace {

constexpr std::size_t kMostGroups = 6;

/// Kinds of layers (operator_pattern). Pointwise Convs and MatMuls with a weight, which gain most
/// as integers, are not among them: a model without them would be the float model.
constexpr const char* kLayerKinds[] = {"Conv/depthwise", "Conv/spatial", "MatMul/dynamic"};

/// Operators that occur together, the likeliest to be slower as integers first.
const std::vector<std::vector<std::string>>& known_groups() {
  static const std::vector<std::vector<std::string>> kGroups = {
      {"HardSwish", "HardSigmoid", "Sigmoid", "Tanh", "LeakyRelu", "PRelu", "Elu", "Gelu",
       "Softplus", "Erf", "Exp", "Log", "Sqrt", "Pow", "Reciprocal"},
      {kLayerKinds[0]},
      {kLayerKinds[1]},
      {kLayerKinds[2]},
      {"Softmax", "LayerNormalization", "InstanceNormalization", "ReduceMean"},
      {"Mul", "Div"},
      {"Add", "Sub", "Sum"},
      {"AveragePool", "GlobalAveragePool", "MaxPool"},
      {"Concat", "Split", "Slice", "Resize", "Transpose", "Reshape", "Pad", "Gather", "Squeeze",
       "Unsqueeze", "Flatten"}};
  return kGroups;
}

}  // namespace

OperatorGroups operator_groups(const Model& model) {
  const GraphIndex index(model.graph);
  std::set<std::string> present;
  for (const Node& node : model.graph.nodes) {
    if (node.domain.empty()) present.insert(operator_pattern(index, node));
  }
  std::vector<std::string> quantized = default_op_types();
  quantized.insert(quantized.end(), std::begin(kLayerKinds), std::end(kLayerKinds));
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
