#include <fmt/core.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "transform/pass.h"

namespace quantsearch {

namespace {

constexpr auto kFloat16 = static_cast<std::int64_t>(DataType::float16);
constexpr auto kFloat32 = static_cast<std::int64_t>(DataType::float32);

class Widener {
 public:
  void widen(Graph& graph) {
    for (Initializer& initializer : graph.initializers) {
      if (initializer.tensor->type() != DataType::float16) continue;
      initializer.tensor = std::make_shared<const Tensor>(to_float32(*initializer.tensor));
      ++tensors_;
    }
    for (auto* values : {&graph.inputs, &graph.outputs, &graph.values}) {
      for (ValueInfo& value : *values) {
        if (value.type != DataType::float16) continue;
        value.type = DataType::float32;
        if (values != &graph.values) ++inputs_and_outputs_;
      }
    }
    for (Node& node : graph.nodes) widen(node);
  }

  [[nodiscard]] std::vector<std::string> notes(const Model& model) const {
    std::vector<std::string> notes;
    if (tensors_ + inputs_and_outputs_ + types_ > 0) {
      notes.push_back(fmt::format(
          "{} constants, {} inputs and outputs and {} types of operators became float32", tensors_,
          inputs_and_outputs_, types_));
    }
    for (const std::string& domain : foreign_) {
      notes.push_back(fmt::format("operators of '{}' keep their attributes", domain));
    }
    if (tensors_ > 0 && model.extra.size() > kPlainExtra) {
      notes.emplace_back("functions defined in the model, if any, are left as they are");
    }
    return notes;
  }

 private:
  void widen(Node& node) {
    const bool is_known = node.domain.empty();
    if (!is_known) foreign_.insert(node.domain);
    for (Attribute& attribute : node.attributes) {
      if (auto* tensor = std::get_if<Tensor>(&attribute.value);
          tensor != nullptr && tensor->type() == DataType::float16) {
        *tensor = to_float32(*tensor);
        ++tensors_;
      } else if (auto* subgraph = std::get_if<std::shared_ptr<const Graph>>(&attribute.value)) {
        Graph copy = **subgraph;
        widen(copy);
        *subgraph = std::make_shared<const Graph>(std::move(copy));
      } else if (auto* type = std::get_if<std::int64_t>(&attribute.value);
                 type != nullptr && is_known && *type == kFloat16 &&
                 kTypeAttributes.contains(attribute.name)) {
        *type = kFloat32;
        ++types_;
      }
    }
  }

  // Attributes of ai.onnx that hold a DataType: Cast, random and window operators, QuantizeLinear,
  // LayerNormalization, Attention.
  inline static const std::set<std::string, std::less<>> kTypeAttributes = {
      "to", "dtype", "output_dtype", "output_datatype", "stash_type", "softmax_precision"};
  // Producer, version and doc string fit into this many bytes; functions are longer.
  static constexpr std::size_t kPlainExtra = 512;

  std::int64_t tensors_ = 0;
  std::int64_t inputs_and_outputs_ = 0;
  std::int64_t types_ = 0;
  std::set<std::string> foreign_;
};

}  // namespace

PassResult fp16_to_fp32(Model model) {
  Widener widener;
  widener.widen(model.graph);
  std::vector<std::string> notes = widener.notes(model);
  return {infer_shapes(std::move(model)), std::move(notes)};
}

}  // namespace quantsearch
