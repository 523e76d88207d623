#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "quantsearch/runtime.h"
#include "transform/pass.h"

namespace quantsearch {

namespace {

// One node's result may have this many bytes whatever its inputs are, and beyond that four times
// its inputs': shapes, masks and positions are folded, a Tile that would write a small constant out
// a thousandfold is not.
constexpr std::int64_t kSmallBytes = 64 * 1024;
constexpr std::int64_t kLargestGrowth = 4;
// All folding together may add the weights' own size once, or this much.
constexpr std::int64_t kAlwaysAllowedBytes = 1024 * 1024;

bool is_deterministic(const Node& node) {
  static const std::set<std::string, std::less<>> random = {
      "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike",
      "Multinomial",  "Bernoulli",        "Dropout"};
  return !random.contains(node.op_type);
}

// Already quantized weights stay quantized; a Constant that is left is sparse or a graph output. A
// QuantizeLinear of a constant is computed: its integers take less room.
bool is_to_be_kept(const Node& node) {
  static const std::set<std::string, std::less<>> kept = {"DequantizeLinear", "Constant"};
  return kept.contains(node.op_type);
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

std::int64_t bytes_of(const Tensor& tensor) {
  if (tensor.type() != DataType::string) return std::ssize(tensor.bytes());
  std::int64_t total = 0;
  for (const std::string& text : tensor.strings()) total += std::ssize(text);
  return total;
}

// Operators whose result has a size that depends on values, but is bounded by eight bytes an
// element and axis.
bool is_bounded_by_inputs(const Node& node) {
  return node.is("NonZero") || node.is("Compress") || node.is("Unique");
}

class Folder {
 public:
  explicit Folder(Model model) : model_(std::move(model)), index_(model_.graph) {
    for (const Initializer& initializer : model_.graph.initializers) {
      if (index_.is_graph_input(initializer.name)) continue;
      constants_.emplace(initializer.name, initializer.tensor);
      readers_[initializer.name] = std::ssize(index_.consumers(initializer.name));
    }
    budget_ = std::max(weight_bytes(model_.graph), kAlwaysAllowedBytes);
  }

  PassResult run() {
    std::vector<Node> kept;
    std::vector<Node> nodes =
        model_.graph.nodes;  // the index and describe_node() still need the originals
    for (std::size_t position = 0; position < nodes.size(); ++position) {
      if (!fold(nodes[position], static_cast<int>(position)))
        kept.push_back(std::move(nodes[position]));
    }
    if (folded_ > 0) notes_.push_back(fmt::format("{} nodes computed", folded_));
    model_.graph.nodes = std::move(kept);
    remove_unused_values(model_.graph);
    return {std::move(model_), std::move(notes_)};
  }

 private:
  bool fold(const Node& node, int position) {
    if (!node.domain.empty() || node.outputs.empty()) return false;
    if (fold_shape(node)) return true;
    if (node.inputs.empty() || !is_deterministic(node) || is_to_be_kept(node) || has_subgraph(node))
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

  // Shape and Size of a tensor whose dimensions are all known, though its values are not.
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
    ++folded_;
    return true;
  }

  // Empty when the outputs are now constants, else why not.
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
    release_inputs(node);
    ++folded_;
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

  [[nodiscard]] std::string size_objection(const Model& small, const Node& node,
                                           std::int64_t input_bytes) const {
    std::int64_t output_bytes = 0;
    for (const ValueInfo& output : small.graph.outputs) {
      const std::optional<Shape> shape = fixed_shape(&output);
      if (shape && output.type == DataType::undefined) return "the type of its result is not known";
      if (shape) {
        // Strings count by element here; they come out of shape operators only.
        output_bytes += output.type == DataType::string ? element_count(*shape)
                                                        : byte_count(output.type, *shape);
      } else if (is_bounded_by_inputs(node)) {
        output_bytes += 8 * 8 * input_bytes;
      } else {
        return "the size of its result is not known";
      }
    }
    const std::int64_t limit = std::max(kSmallBytes, kLargestGrowth * input_bytes);
    if (output_bytes > limit || added_ + output_bytes > budget_) {
      return fmt::format("its result of {} bytes would inflate the model", output_bytes);
    }
    return "";
  }

  void add(const std::string& name, Tensor tensor) {
    added_ += bytes_of(tensor);
    readers_[name] = std::ssize(index_.consumers(name));
    auto shared = std::make_shared<const Tensor>(std::move(tensor));
    constants_.insert_or_assign(name, shared);
    model_.graph.initializers.push_back({.name = name, .tensor = std::move(shared)});
  }

  // A constant whose last reader was folded will leave the model.
  void release_inputs(const Node& node) {
    for (const std::string& input : std::set<std::string>(node.inputs.begin(), node.inputs.end())) {
      if (!input.empty() && --readers_[input] == 0) added_ -= bytes_of(*constants_.at(input));
    }
  }

  Model model_;
  GraphIndex index_;
  std::map<std::string, std::shared_ptr<const Tensor>, std::less<>> constants_;
  std::map<std::string, std::int64_t, std::less<>> readers_;
  std::int64_t budget_ = 0;
  std::int64_t added_ = 0;
  std::int64_t folded_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace

PassResult fold_constants(Model model) { return Folder(std::move(model)).run(); }

}  // namespace quantsearch
