#include "model/proto_write.h"

#include <type_traits>
#include <utility>

#include "model/opaque.h"
#include "model/tensor_proto.h"
#include "quantsearch/base/error.h"

namespace quantsearch::model_io {

namespace {

void write_graph(const Graph& graph, const StoreBytes& store, TensorRole role,
                 onnx::GraphProto& proto);

void write_tensor(const Tensor& tensor, TensorRole role, const StoreBytes& store,
                  onnx::TensorProto& proto) {
  put_tensor_header(tensor, proto);
  if (tensor.type() != DataType::string) store(tensor, role, proto);
}

/// Sets type and value; `proto` may already hold documentation.
struct PayloadWriter {
  onnx::AttributeProto& proto;
  const StoreBytes& store;

  void operator()(std::int64_t value) const {
    proto.set_type(onnx::AttributeProto::INT);
    proto.set_i(value);
  }
  void operator()(float value) const {
    proto.set_type(onnx::AttributeProto::FLOAT);
    proto.set_f(value);
  }
  void operator()(const std::string& value) const {
    proto.set_type(onnx::AttributeProto::STRING);
    proto.set_s(value);
  }
  void operator()(const Tensor& value) const {
    proto.set_type(onnx::AttributeProto::TENSOR);
    write_tensor(value, TensorRole::attribute, store, *proto.mutable_t());
  }
  void operator()(const std::shared_ptr<const Graph>& value) const {
    proto.set_type(onnx::AttributeProto::GRAPH);
    write_graph(*value, store, TensorRole::subgraph_initializer, *proto.mutable_g());
  }
  void operator()(const std::vector<std::int64_t>& values) const {
    proto.set_type(onnx::AttributeProto::INTS);
    proto.mutable_ints()->Assign(values.begin(), values.end());
  }
  void operator()(const std::vector<float>& values) const {
    proto.set_type(onnx::AttributeProto::FLOATS);
    proto.mutable_floats()->Assign(values.begin(), values.end());
  }
  void operator()(const std::vector<std::string>& values) const {
    proto.set_type(onnx::AttributeProto::STRINGS);
    proto.mutable_strings()->Assign(values.begin(), values.end());
  }
  void operator()(const Opaque& value) const {
    const std::string name = proto.name();
    parse_rest(value.bytes, proto);
    proto.set_name(name);
  }
};

/// Moves the message with this name out of `rests`; without one, returns an empty message with the
/// name.
template <typename Message>
Message take_named(google::protobuf::RepeatedPtrField<Message>& rests, const std::string& name) {
  for (Message& rest : rests) {
    if (rest.name() == name) return std::move(rest);
  }
  Message fresh;
  fresh.set_name(name);
  return fresh;
}

void write_graph(const Graph& graph, const StoreBytes& store, TensorRole role,
                 onnx::GraphProto& proto) {
  parse_rest(graph.extra, proto);
  google::protobuf::RepeatedPtrField<onnx::TensorProto> rests;
  proto.mutable_initializer()->Swap(&rests);
  proto.set_name(graph.name);
  for (const Node& node : graph.nodes) *proto.add_node() = write_node(node, store);
  for (const Initializer& initializer : graph.initializers) {
    onnx::TensorProto& tensor = *proto.add_initializer();
    tensor = take_named(rests, initializer.name);
    write_tensor(*initializer.tensor, role, store, tensor);
  }
  for (const ValueInfo& value : graph.inputs) *proto.add_input() = write_value_info(value);
  for (const ValueInfo& value : graph.outputs) *proto.add_output() = write_value_info(value);
  for (const ValueInfo& value : graph.values) *proto.add_value_info() = write_value_info(value);
}

}  // namespace

void store_inline(const Tensor& tensor, TensorRole /*role*/, onnx::TensorProto& proto) {
  put_raw_data(tensor, proto);
}

onnx::NodeProto write_node(const Node& node, const StoreBytes& store) {
  onnx::NodeProto proto;
  parse_rest(node.extra, proto);
  google::protobuf::RepeatedPtrField<onnx::AttributeProto> rests;
  proto.mutable_attribute()->Swap(&rests);
  proto.set_op_type(node.op_type);
  if (!node.domain.empty()) proto.set_domain(node.domain);
  if (!node.name.empty()) proto.set_name(node.name);
  proto.mutable_input()->Assign(node.inputs.begin(), node.inputs.end());
  proto.mutable_output()->Assign(node.outputs.begin(), node.outputs.end());
  for (const Attribute& attribute : node.attributes) {
    onnx::AttributeProto& written = *proto.add_attribute();
    written = take_named(rests, attribute.name);
    if (!std::holds_alternative<Tensor>(attribute.value))
      written.clear_t();  // the rest of a tensor that was replaced
    std::visit(PayloadWriter{written, store}, attribute.value);
  }
  return proto;
}

onnx::ValueInfoProto write_value_info(const ValueInfo& value) {
  onnx::ValueInfoProto proto;
  parse_rest(value.extra, proto);
  proto.set_name(value.name);
  if (value.type == DataType::undefined && !value.dimensions) return proto;
  onnx::TypeProto::Tensor& tensor = *proto.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(static_cast<int>(value.type));
  if (!value.dimensions) return proto;
  onnx::TensorShapeProto& shape = *tensor.mutable_shape();
  // Denotations of dimensions belong to a shape of the same rank, so a change of the rank removes
  // them.
  if (shape.dim_size() != static_cast<int>(value.dimensions->size())) shape.clear_dim();
  for (std::size_t axis = 0; axis < value.dimensions->size(); ++axis) {
    const Dimension& dimension = (*value.dimensions)[axis];
    const auto index = static_cast<int>(axis);
    auto& written = index < shape.dim_size() ? *shape.mutable_dim(index) : *shape.add_dim();
    if (dimension.size) {
      written.set_dim_value(*dimension.size);
    } else if (!dimension.symbol.empty()) {
      written.set_dim_param(dimension.symbol);
    }
  }
  return proto;
}

onnx::ModelProto write_model(const Model& model, const StoreBytes& store) {
  onnx::ModelProto proto;
  parse_rest(model.extra, proto);
  proto.set_ir_version(model.ir_version);
  for (const auto& [domain, version] : model.opsets) {
    onnx::OperatorSetIdProto& opset = *proto.add_opset_import();
    opset.set_domain(domain);
    opset.set_version(version);
  }
  google::protobuf::RepeatedPtrField<onnx::StringStringEntryProto> repeated;
  proto.mutable_metadata_props()->Swap(&repeated);
  for (const auto& [key, text] : model.metadata) {
    onnx::StringStringEntryProto& entry = *proto.add_metadata_props();
    entry.set_key(key);
    entry.set_value(text);
  }
  proto.mutable_metadata_props()->MergeFrom(repeated);
  write_graph(model.graph, store, TensorRole::initializer, *proto.mutable_graph());
  return proto;
}

}  // namespace quantsearch::model_io
