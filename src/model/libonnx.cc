#include <fmt/core.h>
#include <onnx/checker.h>
#include <onnx/defs/schema.h>
#include <onnx/shape_inference/implementation.h>

#include <functional>
#include <map>
#include <string>

#include "model/proto_read.h"
#include "model/proto_write.h"
#include "quantsearch/internal/model/checks.h"
#include "quantsearch/model.h"

namespace quantsearch {

namespace {

/// Tensors up to this size are passed to libonnx with their values (shapes, axes, paddings). Of
/// larger ones it only reads type and shape, so their values need not be copied.
constexpr std::size_t kValuesOfInterestBytes = 16384;

/// States that a STFT is one-sided, which is the default: libonnx's inference takes an absent
/// attribute for two-sided and gets nearly twice the frequencies.
void state_sides(onnx::NodeProto& node) {
  if (node.op_type() != "STFT" || !node.domain().empty()) return;
  for (const onnx::AttributeProto& attribute : node.attribute())
    if (attribute.name() == "onesided") return;
  onnx::AttributeProto& onesided = *node.add_attribute();
  onesided.set_name("onesided");
  onesided.set_type(onnx::AttributeProto::INT);
  onesided.set_i(1);
}

/// Makes up for what libonnx gets wrong. Negative sizes stand for open axes and are cleared,
/// because libonnx would calculate with them.
void correct_for_inference(onnx::GraphProto& graph) {
  for (auto* list : {graph.mutable_input(), graph.mutable_output(), graph.mutable_value_info()}) {
    for (onnx::ValueInfoProto& value : *list) {
      if (!value.type().tensor_type().has_shape()) continue;
      for (auto& size :
           *value.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim())
        if (size.has_dim_value() && size.dim_value() < 0) size.clear_dim_value();
    }
  }
  for (onnx::NodeProto& node : *graph.mutable_node()) {
    state_sides(node);
    for (onnx::AttributeProto& attribute : *node.mutable_attribute())
      if (attribute.has_g()) correct_for_inference(*attribute.mutable_g());
  }
}

onnx::ModelProto without_large_values(const Model& model) {
  onnx::ModelProto made = model_io::write_model(
      model, [](const Tensor& tensor, model_io::TensorRole role, onnx::TensorProto& proto) {
        if (tensor.bytes().size() <= kValuesOfInterestBytes) {
          model_io::store_inline(tensor, role, proto);
        } else {
          // The checker requires a field with values, but does not check its size.
          proto.set_raw_data(std::string("\0", 1));
        }
      });
  correct_for_inference(*made.mutable_graph());
  return made;
}

/// Gives inputs and outputs of unknown rank a shape: libonnx's checker refuses them without one,
/// although the format allows them and runtimes accept them.
void give_shapes(onnx::GraphProto& graph) {
  for (auto* list : {graph.mutable_input(), graph.mutable_output()}) {
    for (onnx::ValueInfoProto& value : *list) {
      if (value.type().has_tensor_type())
        (void)value.mutable_type()->mutable_tensor_type()->mutable_shape();
    }
  }
}

/// Joins the lines of a message of libonnx, because a message of this library is one sentence.
std::string one_line(std::string text) {
  for (char& letter : text) {
    if (letter == '\n' || letter == '\t') letter = ' ';
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '.')) text.pop_back();
  return text;
}

/// Throws InvalidInput when a required input is missing: libonnx reads required inputs without
/// checking that they exist.
void require_inputs(const onnx::GraphProto& graph, int opset) {
  for (const onnx::NodeProto& node : graph.node()) {
    const auto* const schema =
        onnx::OpSchemaRegistry::Schema(node.op_type(), opset, onnx::ONNX_DOMAIN);
    if (node.domain().empty() && schema != nullptr && node.input_size() < schema->min_input()) {
      throw InvalidInput(fmt::format("shape inference: {} '{}' has {} inputs, expected at least {}",
                                     node.op_type(), node.name(), node.input_size(),
                                     schema->min_input()));
    }
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      if (attribute.has_g()) require_inputs(attribute.g(), opset);
    }
  }
}

void infer_once(onnx::ModelProto& proto) {
  const onnx::ShapeInferenceOptions options(/*check_type=*/false, /*strict_mode=*/0,
                                            /*data_prop=*/true);
  onnx::shape_inference::InferShapes(proto, onnx::OpSchemaRegistry::Instance(), options);
}

/// libonnx leaves the output of a Reshape to a computed shape without a rank, although the length
/// of that shape is the rank. Adds such ranks to the value infos; false when there are none to add.
bool state_reshape_ranks(onnx::GraphProto& graph) {
  std::map<std::string, onnx::ValueInfoProto*, std::less<>> values;
  for (auto* list : {graph.mutable_input(), graph.mutable_value_info(), graph.mutable_output()}) {
    for (onnx::ValueInfoProto& value : *list) values.emplace(value.name(), &value);
  }
  bool has_stated = false;
  for (const onnx::NodeProto& node : graph.node()) {
    if (node.op_type() != "Reshape" || !node.domain().empty() || node.input_size() != 2) continue;
    const auto output = values.find(node.output(0));
    const auto shape = values.find(node.input(1));
    if (output == values.end() || shape == values.end()) continue;
    onnx::TypeProto::Tensor& reshaped = *output->second->mutable_type()->mutable_tensor_type();
    const onnx::TensorShapeProto& length = shape->second->type().tensor_type().shape();
    if (reshaped.has_shape() || length.dim_size() != 1 || !length.dim(0).has_dim_value()) continue;
    for (std::int64_t axis = 0; axis < length.dim(0).dim_value(); ++axis)
      reshaped.mutable_shape()->add_dim();
    has_stated = true;
  }
  return has_stated;
}

void infer(onnx::ModelProto& proto) {
  infer_once(proto);
  while (state_reshape_ranks(*proto.mutable_graph()))
    infer_once(proto);  // ends, because each round adds at least one rank
}

/// Adds what the model's own value infos state beyond the inference, and what follows from it. The
/// value infos are notes of the exporter: where they contradict the operators they are wrong, but
/// libonnx would trust them.
void add_stated(onnx::ModelProto& proto,
                const google::protobuf::RepeatedPtrField<onnx::ValueInfoProto>& stated) {
  onnx::ModelProto extended = proto;
  std::map<std::string, onnx::ValueInfoProto*, std::less<>> inferred;
  for (onnx::ValueInfoProto& value : *extended.mutable_graph()->mutable_value_info())
    inferred[value.name()] = &value;
  bool has_added = false;
  for (const onnx::ValueInfoProto& value : stated) {
    const auto known = inferred.find(value.name());
    if (known == inferred.end()) {
      *extended.mutable_graph()->add_value_info() = value;
      has_added = true;
    } else if (!known->second->type().tensor_type().has_shape() &&
               value.type().tensor_type().has_shape()) {
      *known->second = value;
      has_added = true;
    }
  }
  if (!has_added) return;
  try {
    infer(extended);
    proto = std::move(extended);
  } catch (const std::exception&) {
    // The value infos contradict the operators, so the inference without them is kept.
  }
}

}  // namespace

std::string objection_to(const Model& model) {
  onnx::ModelProto structure = without_large_values(model);
  onnx::ModelProto inferred = structure;
  give_shapes(*structure.mutable_graph());
  const onnx::ShapeInferenceOptions strict(/*check_type=*/true, /*strict_mode=*/1,
                                           /*data_prop=*/false);
  try {
    onnx::checker::check_model(structure);
    onnx::shape_inference::InferShapes(inferred, onnx::OpSchemaRegistry::Instance(), strict);
  } catch (const std::exception& error) {
    return one_line(error.what());
  }
  return "";
}

void check_model(const Model& model) {
  if (const std::string objection = objection_to(model); !objection.empty())
    throw InvalidInput("check: the model is not valid ONNX: " + objection);
}

Model infer_shapes(Model model) {
  onnx::ModelProto proto = without_large_values(model);
  require_inputs(proto.graph(), static_cast<int>(model.opset()));
  google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> stated;
  proto.mutable_graph()->mutable_value_info()->Swap(&stated);
  try {
    infer(proto);
  } catch (const std::exception& error) {
    throw InvalidInput(
        fmt::format("shape inference: the model contradicts itself: {}", one_line(error.what())));
  }
  add_stated(proto, stated);
  model.graph.values.clear();
  for (onnx::ValueInfoProto& value : *proto.mutable_graph()->mutable_value_info()) {
    model.graph.values.push_back(model_io::read_value_info(std::move(value)));
  }
  // The declared types and shapes of the outputs are kept; only missing ones are filled in.
  for (std::size_t index = 0; index < model.graph.outputs.size(); ++index) {
    ValueInfo& output = model.graph.outputs[index];
    const ValueInfo inferred =
        model_io::read_value_info(proto.graph().output(static_cast<int>(index)));
    if (output.type == DataType::undefined && output.extra.empty()) output.type = inferred.type;
    if (output.type != DataType::undefined && !output.dimensions)
      output.dimensions = inferred.dimensions;
  }
  return model;
}

std::int64_t newest_opset() {
  return onnx::OpSchemaRegistry::DomainToVersionRange::Instance().LastReleaseVersionMap().at(
      onnx::ONNX_DOMAIN);
}

std::int64_t ir_version_for_opset(std::int64_t opset) {
  // The IR version of the ONNX release that introduced each opset (docs/Versioning.md of onnx).
  struct Release {
    std::int64_t opset;
    std::int64_t ir_version;
  };
  constexpr Release kReleases[] = {{8, 3},  {9, 4},  {10, 5},  {11, 6},  {14, 7},
                                   {18, 8}, {20, 9}, {22, 10}, {23, 11}, {24, 12}};
  for (const Release& release : kReleases) {
    if (opset <= release.opset) return release.ir_version;
  }
  return onnx::Version::IR_VERSION;
}

}  // namespace quantsearch
