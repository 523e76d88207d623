#include "quantsearch/internal/model/compared_outputs.h"

#include <algorithm>
#include <map>
#include <utility>

#include "model/subgraphs.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/model/checks.h"

namespace quantsearch {

namespace {

/// What is known about a tensor while the nodes are visited in order.
struct Origin {
  bool varies = false;  // follows from a graph input
  // Its values follow from floating-point arithmetic, which quantization may change.
  bool computed = false;
  bool sized = false;  // its shape follows from such values
};

/// Inputs whose values determine the shape of the output.
struct SizeInputs {
  std::string_view op_type;
  std::vector<std::size_t> inputs;
};

const std::vector<SizeInputs>& size_inputs() {
  static const std::vector<SizeInputs> kTable = {{"CenterCropPad", {1}}, {"ConstantOfShape", {0}},
                                                 {"Expand", {1}},        {"If", {0}},
                                                 {"Loop", {0, 1}},       {"MaxUnpool", {2}},
                                                 {"OneHot", {1}},        {"Pad", {1}},
                                                 {"Range", {0, 1, 2}},   {"Reshape", {1}},
                                                 {"Resize", {1, 2, 3}},  {"Slice", {1, 2, 3, 4}},
                                                 {"Split", {1}},         {"Tile", {1}},
                                                 {"TopK", {1}},          {"Upsample", {1}}};
  return kTable;
}

bool selects_by_value(const Node& node) {
  return node.is("Compress") || node.is("NonMaxSuppression") || node.is("NonZero") ||
         node.is("Unique");
}

bool has_known_shape(const ValueInfo* value) {
  return value != nullptr && value->dimensions &&
         std::ranges::all_of(*value->dimensions,
                             [](const Dimension& axis) { return axis.size.has_value(); });
}

/// True unless the tensor is known to have another type.
bool may_be_floating(const ValueInfo* value) {
  return value == nullptr || value->type == DataType::undefined || is_floating(value->type);
}

class Walk {
 public:
  explicit Walk(const Graph& graph) : index_(graph) {
    for (const Initializer& initializer : graph.initializers) origins_[initializer.name] = {};
    for (const ValueInfo& input : graph.inputs) origins_[input.name].varies = true;
    for (const Node& node : graph.nodes) visit(node);
  }

  /// A tensor that nothing produces counts as a constant.
  [[nodiscard]] Origin of(std::string_view tensor) const {
    const auto found = origins_.find(tensor);
    return found == origins_.end() ? Origin{} : found->second;
  }
  [[nodiscard]] const std::map<std::string, Origin, std::less<>>& all() const { return origins_; }

 private:
  void visit(const Node& node) {
    const bool is_random = draws_random_numbers(node);
    Origin origin{.varies = is_random, .computed = is_random, .sized = false};
    model_io::for_each_read(node, [&](std::string_view tensor) {
      const Origin read = of(tensor);
      origin.varies |= read.varies;
      origin.sized |= read.sized;
      origin.computed |= read.computed || (read.varies && may_be_floating(index_.value(tensor)));
    });
    const bool reads_shape_alone = node.is("Shape") || node.is("Size");
    if (reads_shape_alone) origin.computed = std::exchange(origin.sized, false);
    const bool may_resize = is_sized_by_inputs(node, origin);
    for (const std::string& output : node.outputs) {
      if (output.empty()) continue;
      Origin& made = origins_[output] = origin;
      made.sized = (origin.sized || may_resize) && !has_known_shape(index_.value(output));
    }
  }

  [[nodiscard]] bool is_sized_by_inputs(const Node& node, const Origin& origin) const {
    if (!node.domain.empty()) return false;  // an assumption: these operators are unknown
    if (selects_by_value(node)) return origin.computed;
    const auto entry = std::ranges::find(size_inputs(), node.op_type, &SizeInputs::op_type);
    return entry != size_inputs().end() &&
           std::ranges::any_of(entry->inputs,
                               [&](std::size_t input) { return of(node.input(input)).computed; });
  }

  GraphIndex index_;
  std::map<std::string, Origin, std::less<>> origins_;
};

/// True for tensors of numbers and booleans, and for outputs without a declared type, which the
/// runtime infers. Outputs that are not tensors have their type in `extra`.
bool holds_numbers(const ValueInfo& output) {
  if (output.type == DataType::undefined) return output.extra.empty();
  return is_floating(output.type) || is_integer(output.type) || output.type == DataType::boolean;
}

OutputRole role_of(const ValueInfo& output, const GraphIndex& index, const Walk& walk) {
  if (!holds_numbers(output)) return OutputRole::no_numbers;
  const Origin origin = walk.of(output.name);
  if (!index.producer(output.name) || !origin.varies) return OutputRole::passed_on;
  return origin.sized ? OutputRole::sized_by_data : OutputRole::computed;
}

/// The runtime may run a model that the inference refuses; then the types that the model declares
/// are used.
Graph with_inferred_shapes(const Model& model) {
  try {
    return infer_shapes(model).graph;
  } catch (const InvalidInput&) {
    return model.graph;
  }
}

}  // namespace

std::vector<OutputRole> output_roles(const Model& model) {
  Graph graph = with_inferred_shapes(model);
  sort_topologically(graph);
  const GraphIndex index(graph);
  const Walk walk(graph);
  std::vector<OutputRole> roles;
  for (const ValueInfo& output : graph.outputs) roles.push_back(role_of(output, index, walk));
  return roles;
}

ComparedOutputs compared_outputs(const Model& model) {
  const std::vector<OutputRole> roles = output_roles(model);
  OutputRole wanted = OutputRole::no_numbers;
  for (const OutputRole role :
       {OutputRole::passed_on, OutputRole::sized_by_data, OutputRole::computed}) {
    if (std::ranges::find(roles, role) != roles.end()) wanted = role;
  }
  ComparedOutputs result;
  result.sized_by_data = wanted == OutputRole::sized_by_data;
  for (std::size_t output = 0; output < roles.size(); ++output) {
    const std::string& name = model.graph.outputs[output].name;
    if (roles[output] == wanted && wanted != OutputRole::no_numbers) {
      result.names.push_back(name);
    } else {
      result.skipped.push_back({.name = name, .role = roles[output]});
    }
  }
  return result;
}

std::string why_not_compared(OutputRole role) {
  switch (role) {
    case OutputRole::sized_by_data:
      return "has a size that depends on computed values";
    case OutputRole::passed_on:
      return "does not depend on what is quantized";
    case OutputRole::no_numbers:
      return "holds no numbers";
    case OutputRole::computed:
      break;
  }
  throw InternalError("compared outputs: a computed output is compared");
}

std::vector<std::string> constant_tensors(const Graph& graph) {
  Graph sorted = graph;
  sort_topologically(sorted);
  std::vector<std::string> names;
  const Walk walk(sorted);
  for (const auto& [name, origin] : walk.all()) {
    if (!origin.varies) names.push_back(name);
  }
  return names;
}

}  // namespace quantsearch
