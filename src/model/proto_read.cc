#include "model/proto_read.h"

#include <fmt/core.h>

#include <utility>

#include "model/opaque.h"
#include "model/sparse_tensor.h"
#include "model/tensor_proto.h"
#include "quantsearch/base/error.h"

namespace quantsearch::model_io {

namespace {

using AttributeType = onnx::AttributeProto::AttributeType;

Graph read_graph(onnx::GraphProto proto, ExternalFiles& files);

/// "Conv 'stem'" or the node's first output when it has no name.
std::string node_text(const onnx::NodeProto& node) {
  if (!node.name().empty()) return fmt::format("{} '{}'", node.op_type(), node.name());
  return fmt::format("{} that makes '{}'", node.op_type(),
                     node.output_size() > 0 ? node.output(0) : "");
}

/// Models older than IR version 2 state no type: it follows from the field that is filled.
AttributeType type_of(const onnx::AttributeProto& proto) {
  if (proto.type() != onnx::AttributeProto::UNDEFINED) return proto.type();
  if (proto.has_f()) return onnx::AttributeProto::FLOAT;
  if (proto.has_i()) return onnx::AttributeProto::INT;
  if (proto.has_s()) return onnx::AttributeProto::STRING;
  if (proto.has_t()) return onnx::AttributeProto::TENSOR;
  if (proto.has_g()) return onnx::AttributeProto::GRAPH;
  if (proto.floats_size() > 0) return onnx::AttributeProto::FLOATS;
  if (proto.ints_size() > 0) return onnx::AttributeProto::INTS;
  if (proto.strings_size() > 0) return onnx::AttributeProto::STRINGS;
  return onnx::AttributeProto::UNDEFINED;
}

Attribute::Payload take_opaque(onnx::AttributeProto& proto, ExternalFiles& files,
                               const std::string& what) {
  inline_external_tensors(proto, files, what);
  Opaque opaque{serialize_rest(proto)};
  proto.Clear();
  return opaque;
}

/// Moves the value out of `proto`; only documentation and unknown fields remain there.
Attribute::Payload take_payload(onnx::AttributeProto& proto, ExternalFiles& files,
                                const std::string& what) {
  Attribute::Payload payload;
  const AttributeType type = type_of(proto);
  if (proto.has_ref_attr_name()) return take_opaque(proto, files, what);
  switch (type) {
    case onnx::AttributeProto::FLOAT:
      payload = proto.f();
      break;
    case onnx::AttributeProto::INT:
      payload = static_cast<std::int64_t>(proto.i());
      break;
    case onnx::AttributeProto::STRING:
      payload = std::move(*proto.mutable_s());
      break;
    case onnx::AttributeProto::TENSOR:
      payload = take_tensor(*proto.mutable_t(), files, what);
      break;
    case onnx::AttributeProto::GRAPH:
      payload = std::make_shared<const Graph>(read_graph(std::move(*proto.mutable_g()), files));
      break;
    case onnx::AttributeProto::FLOATS:
      payload = std::vector<float>(proto.floats().begin(), proto.floats().end());
      break;
    case onnx::AttributeProto::INTS:
      payload = std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end());
      break;
    case onnx::AttributeProto::STRINGS:
      payload = std::vector<std::string>(proto.strings().begin(), proto.strings().end());
      break;
    default:  // lists of tensors or graphs, types, and what later versions add
      return take_opaque(proto, files, what);
  }
  proto.clear_type();
  proto.clear_f();
  proto.clear_i();
  proto.clear_s();
  proto.clear_g();
  proto.clear_floats();
  proto.clear_ints();
  proto.clear_strings();
  if (proto.has_t() && proto.t().ByteSizeLong() == 0) proto.clear_t();
  return payload;
}

/// A Constant may hold its value as a sparse tensor. It is read as a Constant with a dense value.
bool is_sparse_constant(const onnx::NodeProto& node, const onnx::AttributeProto& attribute) {
  return node.op_type() == "Constant" && attribute.name() == "sparse_value" &&
         attribute.has_sparse_tensor();
}

Initializer take_initializer(onnx::TensorProto& proto, ExternalFiles& files) {
  Initializer initializer;
  initializer.name = proto.name();
  initializer.tensor = std::make_shared<const Tensor>(
      take_tensor(proto, files, fmt::format("initializer '{}'", proto.name())));
  return initializer;
}

template <typename Field>
std::vector<ValueInfo> take_values(Field& field) {
  std::vector<ValueInfo> values;
  values.reserve(static_cast<std::size_t>(field.size()));
  for (onnx::ValueInfoProto& value : field) values.push_back(read_value_info(std::move(value)));
  field.Clear();
  return values;
}

Graph read_graph(onnx::GraphProto proto, ExternalFiles& files) {
  Graph graph;
  graph.name = std::move(*proto.mutable_name());
  graph.nodes.reserve(static_cast<std::size_t>(proto.node_size()));
  for (onnx::NodeProto& node : *proto.mutable_node())
    graph.nodes.push_back(read_node(std::move(node), files));
  graph.inputs = take_values(*proto.mutable_input());
  graph.outputs = take_values(*proto.mutable_output());
  graph.values = take_values(*proto.mutable_value_info());
  // The documentation of an initializer stays in `extra`, where it is found again by name.
  google::protobuf::RepeatedPtrField<onnx::TensorProto> rests;
  for (onnx::TensorProto& tensor : *proto.mutable_initializer()) {
    graph.initializers.push_back(take_initializer(tensor, files));
    onnx::TensorProto bare;
    bare.set_name(tensor.name());
    if (tensor.ByteSizeLong() > bare.ByteSizeLong()) rests.Add(std::move(tensor));
  }
  proto.mutable_initializer()->Swap(&rests);
  for (onnx::SparseTensorProto& sparse : *proto.mutable_sparse_initializer()) {
    std::string name = sparse.values().name();
    Tensor dense = take_dense(sparse, files, fmt::format("sparse initializer '{}'", name));
    graph.initializers.push_back(
        {.name = std::move(name), .tensor = std::make_shared<const Tensor>(std::move(dense))});
  }
  proto.clear_sparse_initializer();
  proto.clear_name();
  proto.clear_node();
  graph.extra = serialize_rest(proto);
  return graph;
}

void take_metadata(onnx::ModelProto& proto, Model& model) {
  google::protobuf::RepeatedPtrField<onnx::StringStringEntryProto> repeated;
  for (onnx::StringStringEntryProto& entry : *proto.mutable_metadata_props()) {
    if (!model.metadata.emplace(entry.key(), entry.value()).second) repeated.Add(std::move(entry));
  }
  proto.mutable_metadata_props()->Swap(&repeated);
}

}  // namespace

std::string normal_domain(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

Node read_node(onnx::NodeProto proto, ExternalFiles& files) {
  const std::string text = node_text(proto);
  Node node;
  node.op_type = proto.op_type();
  node.domain = normal_domain(proto.domain());
  node.name = proto.name();
  node.inputs.assign(proto.input().begin(), proto.input().end());
  node.outputs.assign(proto.output().begin(), proto.output().end());
  google::protobuf::RepeatedPtrField<onnx::AttributeProto> rests;
  for (onnx::AttributeProto& attribute : *proto.mutable_attribute()) {
    const std::string name = attribute.name();
    if (node.find_attribute(name) != nullptr) {
      throw InvalidInput(fmt::format("{} has attribute '{}' twice", text, name));
    }
    const std::string what = fmt::format("attribute '{}' of {}", name, text);
    Attribute taken;
    if (is_sparse_constant(proto, attribute)) {
      taken.name = "value";
      taken.value = take_dense(*attribute.mutable_sparse_tensor(), files, what);
      attribute.Clear();
    } else {
      taken.name = name;
      taken.value = take_payload(attribute, files, what);
    }
    node.attributes.push_back(std::move(taken));
    attribute.clear_name();
    if (attribute.ByteSizeLong() == 0) continue;
    attribute.set_name(name);
    rests.Add(std::move(attribute));
  }
  proto.mutable_attribute()->Swap(&rests);
  proto.clear_op_type();
  proto.clear_domain();
  proto.clear_name();
  proto.clear_input();
  proto.clear_output();
  node.extra = serialize_rest(proto);
  return node;
}

ValueInfo read_value_info(onnx::ValueInfoProto proto) {
  ValueInfo value;
  value.name = std::move(*proto.mutable_name());
  proto.clear_name();
  if (proto.type().has_tensor_type()) {
    onnx::TypeProto::Tensor& tensor = *proto.mutable_type()->mutable_tensor_type();
    value.type = static_cast<DataType>(tensor.elem_type());
    tensor.clear_elem_type();
    if (tensor.has_shape()) value.dimensions.emplace();
    for (onnx::TensorShapeProto::Dimension& dimension : *tensor.mutable_shape()->mutable_dim()) {
      Dimension& read = value.dimensions->emplace_back();
      // Exporters write -1 for an open axis, and runtimes treat every negative size as one. The
      // number stays in `extra` and is written back as it was.
      if (dimension.has_dim_value() && dimension.dim_value() < 0) continue;
      if (dimension.has_dim_value()) read.size = dimension.dim_value();
      if (dimension.has_dim_param()) read.symbol = dimension.dim_param();
      dimension.clear_value();
    }
    // Denotations of dimensions keep their position. Without any, nothing is left of the shape.
    bool is_bare = true;
    for (const auto& dimension : tensor.shape().dim())
      is_bare = is_bare && dimension.ByteSizeLong() == 0;
    if (is_bare) tensor.mutable_shape()->clear_dim();
    if (tensor.shape().ByteSizeLong() == 0) tensor.clear_shape();
    const bool is_known = value.type != DataType::undefined || value.dimensions;
    if (is_known && tensor.ByteSizeLong() == 0) proto.mutable_type()->clear_tensor_type();
    if (is_known && proto.type().ByteSizeLong() == 0) proto.clear_type();
  }
  value.extra = serialize_rest(proto);
  return value;
}

Model read_model(onnx::ModelProto proto, ExternalFiles& files) {
  Model model;
  model.ir_version = proto.ir_version();
  for (const onnx::OperatorSetIdProto& opset : proto.opset_import()) {
    const std::string domain = normal_domain(opset.domain());
    const auto [known, is_new] = model.opsets.emplace(domain, opset.version());
    if (!is_new && known->second != opset.version()) {
      throw InvalidInput(fmt::format("the model imports domain '{}' at versions {} and {}",
                                     domain.empty() ? "ai.onnx" : domain, known->second,
                                     opset.version()));
    }
  }
  model.graph = read_graph(std::move(*proto.mutable_graph()), files);
  take_metadata(proto, model);
  for (auto& training : *proto.mutable_training_info()) {
    inline_external_tensors(training, files, "training information");
  }
  for (auto& function : *proto.mutable_functions()) {
    inline_external_tensors(function, files, fmt::format("function '{}'", function.name()));
  }
  proto.clear_ir_version();
  proto.clear_opset_import();
  proto.clear_graph();
  model.extra = serialize_rest(proto);
  return model;
}

}  // namespace quantsearch::model_io
