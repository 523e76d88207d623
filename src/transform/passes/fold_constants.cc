#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "quantsearch/internal/model/checks.h"
#include "quantsearch/runtime.h"
#include "transform/folded_constants.h"
#include "transform/pass.h"

namespace quantsearch {

namespace {

// During folding, the result of one node may have this many bytes regardless of its inputs, and
// beyond that four times the bytes of its inputs, because later results may be small again. Nodes
// whose results stay large are kept in the end (folded_constants.h).
constexpr std::int64_t kSmallBytes = std::int64_t{1} << 20;
constexpr std::int64_t kLargestGrowth = 4;

// Already quantized weights stay quantized; a remaining Constant is a graph output. A
// QuantizeLinear of a constant is computed, because its integers take less space.
bool is_to_be_kept(const Node& node) {
  static const std::set<std::string, std::less<>> kKept = {"DequantizeLinear", "Constant"};
  return kKept.contains(node.op_type);
}

bool has_subgraph(const Node& node) {
  return std::ranges::any_of(node.attributes, [](const Attribute& attribute) {
    return std::holds_alternative<std::shared_ptr<const Graph>>(attribute.value) ||
           std::holds_alternative<Opaque>(attribute.value);
  });
}

std::optional<Shape> fixed_shape(const ValueInfo* value) {
  if (value == nullptr || !value->dimensions) return std::nullopt;
  Shape shape;
  for (const Dimension& dimension : *value->dimensions) {
    if (!dimension.size) return std::nullopt;
    shape.push_back(*dimension.size);
  }
  return shape;
}

// Operators whose result has a size that depends on values, but is bounded by eight bytes per
// element and axis.
bool is_bounded_by_inputs(const Node& node) {
  return node.is("NonZero") || node.is("Compress") || node.is("Unique");
}

class Folder {
 public:
  explicit Folder(Model model) : model_(std::move(model)), index_(model_.graph) {
    for (const Initializer& initializer : model_.graph.initializers) {
      if (!index_.is_graph_input(initializer.name))
        constants_.emplace(initializer.name, initializer.tensor);
    }
  }

  PassResult run() {
    std::vector<Node>& nodes = model_.graph.nodes;
    std::vector<bool> computed(nodes.size());
    for (std::size_t position = 0; position < nodes.size(); ++position)
      computed[position] = fold(nodes[position], static_cast<int>(position));
    note_kept(keep_inflating_nodes(model_.graph, index_, constants_, computed));
    if (const auto folded = std::ranges::count(computed, true); folded > 0)
      notes_.push_back(fmt::format("{} nodes computed", folded));
    std::vector<Recipe> recipes = recipes_for(model_.graph, index_, constants_, computed);
    take_over(computed);
    return {std::move(model_), std::move(notes_), std::move(recipes)};
  }

 private:
  void note_kept(const std::vector<int>& kept) {
    for (const int position : kept) {
      std::int64_t bytes = 0;
      for (const std::string& output :
           model_.graph.nodes[static_cast<std::size_t>(position)].outputs)
        bytes += output.empty() ? 0 : bytes_of(*constants_.at(output));
      notes_.push_back(fmt::format("{} stays: its result of {} bytes would inflate the model",
                                   describe_node(model_.graph, position), bytes));
    }
  }

  void take_over(const std::vector<bool>& computed) {
    std::vector<Node> kept;
    for (std::size_t position = 0; position < computed.size(); ++position) {
      Node& node = model_.graph.nodes[position];
      if (!computed[position]) {
        kept.push_back(std::move(node));
        continue;
      }
      for (const std::string& output : node.outputs) {
        if (!output.empty())
          model_.graph.initializers.push_back({.name = output, .tensor = constants_.at(output)});
      }
    }
    model_.graph.nodes = std::move(kept);
    remove_unused_values(model_.graph);
  }

  bool fold(const Node& node, int position) {
    if (!node.domain.empty() || node.outputs.empty()) return false;
    if (fold_shape(node)) return true;
    if (node.inputs.empty() || draws_random_numbers(node) || is_to_be_kept(node) ||
        has_subgraph(node))
      return false;
    const bool all_constant = std::ranges::all_of(node.inputs, [this](const std::string& input) {
      return input.empty() || constants_.contains(input);
    });
    if (!all_constant) return false;
    if (const std::string objection = evaluate(node); !objection.empty()) {
      notes_.push_back(
          fmt::format("{} stays: {}", describe_node(model_.graph, position), objection));
      return false;
    }
    return true;
  }

  // Computes Shape and Size of a tensor whose dimensions are all known although its values are not.
  bool fold_shape(const Node& node) {
    if (!(node.is("Shape") || node.is("Size")) || index_.is_graph_output(node.outputs[0]))
      return false;
    const std::optional<Shape> shape = fixed_shape(index_.value(node.input(0)));
    if (!shape || constants_.contains(node.inputs[0])) return false;
    if (node.is("Size")) {
      add(node.outputs[0], Tensor::scalar(element_count(*shape)));
    } else {
      const std::int64_t rank = std::ssize(*shape);
      const auto bound = [rank](std::int64_t axis) {
        return std::clamp<std::int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
      };
      const std::int64_t start = bound(node.int_attribute("start", 0));
      const std::int64_t end = std::max(start, bound(node.int_attribute("end", rank)));
      const Shape part(shape->begin() + start, shape->begin() + end);
      add(node.outputs[0], Tensor::of<std::int64_t>({end - start}, part));
    }
    return true;
  }

  // Returns why the node is not computed; empty when its outputs are now constants.
  std::string evaluate(const Node& node) {
    std::vector<std::string> wanted;
    for (const std::string& output : node.outputs) {
      if (index_.is_graph_output(output)) return "it names a graph output";
      if (!output.empty()) wanted.push_back(output);
    }
    Model small = model_of(node, wanted);
    std::int64_t input_bytes = 0;
    for (const Initializer& input : small.graph.initializers)
      input_bytes += bytes_of(*input.tensor);
    try {
      small = infer_shapes(std::move(small));
    } catch (const InvalidInput& failure) {
      return failure.what();
    }
    if (std::string objection = size_objection(small, node, input_bytes); !objection.empty())
      return objection;
    Batch outputs;
    try {
      outputs = open_session(small, {.threads = 1, .optimize = false, .taps = {}})->run({});
    } catch (const Error& failure) {
      return failure.what();
    }
    for (const std::string& output : wanted) add(output, outputs.at(output));
    return "";
  }

  [[nodiscard]] Model model_of(const Node& node, const std::vector<std::string>& wanted) const {
    Model small;
    small.ir_version = std::max<std::int64_t>(model_.ir_version, 4);
    small.opsets = {{"", model_.opset()}};
    small.graph.name = "constant";
    small.graph.nodes = {node};
    for (const std::string& input : std::set<std::string>(node.inputs.begin(), node.inputs.end())) {
      if (!input.empty())
        small.graph.initializers.push_back({.name = input, .tensor = constants_.at(input)});
    }
    for (const std::string& output : wanted) {
      const ValueInfo* known = index_.value(output);
      small.graph.outputs.push_back({.name = output,
                                     .type = known == nullptr ? DataType::undefined : known->type,
                                     .dimensions = std::nullopt,
                                     .extra = ""});
    }
    return small;
  }

  [[nodiscard]] static std::string size_objection(const Model& small, const Node& node,
                                                  std::int64_t input_bytes) {
    std::int64_t output_bytes = 0;
    for (const ValueInfo& output : small.graph.outputs) {
      const std::optional<Shape> shape = fixed_shape(&output);
      if (shape && output.type == DataType::undefined) return "the type of its result is not known";
      if (shape) {
        // Strings count one byte per element here; only shape operators produce them.
        output_bytes += output.type == DataType::string ? element_count(*shape)
                                                        : byte_count(output.type, *shape);
      } else if (is_bounded_by_inputs(node)) {
        output_bytes += std::int64_t{8} * 8 * input_bytes;
      } else {
        return "the size of its result is not known";
      }
    }
    if (output_bytes > std::max(kSmallBytes, kLargestGrowth * input_bytes)) {
      return fmt::format("its result of {} bytes would inflate the model", output_bytes);
    }
    return "";
  }

  void add(const std::string& name, Tensor tensor) {
    constants_.insert_or_assign(name, std::make_shared<const Tensor>(std::move(tensor)));
  }

  Model model_;
  GraphIndex index_;
  Constants constants_;
  std::vector<std::string> notes_;
};

}  // namespace

PassResult fold_constants(Model model) { return Folder(std::move(model)).run(); }

}  // namespace quantsearch
