#include "support/model_builder.h"

#include <fmt/core.h>

#include "quantsearch/base/random.h"

namespace quantsearch::testing {

namespace {

ValueInfo value_info(const std::string& name, const std::vector<std::int64_t>& shape,
                     DataType type) {
  ValueInfo info{.name = name, .type = type, .dimensions = std::vector<Dimension>{}, .extra = ""};
  for (const std::int64_t size : shape) {
    Dimension dimension;
    if (size < 0) {
      dimension.symbol = "batch";
    } else {
      dimension.size = size;
    }
    info.dimensions->push_back(dimension);
  }
  return info;
}

}  // namespace

ModelBuilder::ModelBuilder(std::int64_t opset) {
  model_.ir_version = ir_version_for_opset(opset);
  model_.opsets[""] = opset;
  model_.graph.name = "graph";
}

std::string ModelBuilder::input(const std::string& name, const std::vector<std::int64_t>& shape,
                                DataType type) {
  model_.graph.inputs.push_back(value_info(name, shape, type));
  return name;
}

std::string ModelBuilder::constant(const std::string& name, Tensor tensor) {
  model_.graph.initializers.push_back(
      {.name = name, .tensor = std::make_shared<const Tensor>(std::move(tensor))});
  return name;
}

std::string ModelBuilder::weight(const std::string& name, const Shape& shape,
                                 const std::vector<float>& values) {
  return constant(name, Tensor::of<float>(shape, values));
}

std::string ModelBuilder::random_weight(const std::string& name, const Shape& shape, float scale,
                                        std::uint64_t seed) {
  return constant(name, random_tensor(shape, seed, -scale, scale));
}

std::string ModelBuilder::node(const std::string& op_type, const std::vector<std::string>& inputs,
                               std::vector<Attribute> attributes, const std::string& name) {
  Node node;
  node.op_type = op_type;
  node.name = name.empty() ? fmt::format("{}{}", op_type, next_) : name;
  ++next_;
  node.inputs = inputs;
  node.outputs = {node.name + "_out"};
  node.attributes = std::move(attributes);
  model_.graph.nodes.push_back(node);
  return node.outputs[0];
}

void ModelBuilder::add(Node node) { model_.graph.nodes.push_back(std::move(node)); }

void ModelBuilder::output(const std::string& tensor, const std::vector<std::int64_t>& shape,
                          DataType type) {
  model_.graph.outputs.push_back(value_info(tensor, shape, type));
}

void ModelBuilder::output(const std::string& tensor) {
  model_.graph.outputs.push_back(
      {.name = tensor, .type = DataType::float32, .dimensions = std::nullopt, .extra = ""});
}

void ModelBuilder::import_domain(const std::string& domain, std::int64_t version) {
  model_.opsets[domain] = version;
}

Model ModelBuilder::build() const {
  check_model(model_);
  return infer_shapes(model_);
}

Tensor random_tensor(const Shape& shape, std::uint64_t seed, float low, float high) {
  RandomStream stream(seed);
  Tensor tensor(DataType::float32, shape);
  for (float& value : tensor.mutable_values<float>()) {
    value = low + (high - low) * static_cast<float>(stream.uniform());
  }
  return tensor;
}

std::map<std::string, Tensor> random_inputs(const Model& model, std::uint64_t seed,
                                            std::int64_t batch) {
  std::map<std::string, Tensor> inputs;
  for (const ValueInfo& input : model.graph.inputs) {
    if (model.graph.find_initializer(input.name) != nullptr) continue;
    Shape shape;
    for (const Dimension& dimension : input.dimensions.value_or(std::vector<Dimension>{})) {
      shape.push_back(dimension.size.value_or(batch));
    }
    inputs[input.name] = convert(random_tensor(shape, seed++), input.type);
  }
  return inputs;
}

}  // namespace quantsearch::testing
