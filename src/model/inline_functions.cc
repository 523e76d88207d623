#include <fmt/core.h>
#include <onnx/inliner/inliner.h>
#include <onnx/onnx_pb.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/external_files.h"
#include "model/opaque.h"
#include "model/proto_read.h"
#include "model/proto_write.h"
#include "quantsearch/internal/model/functions.h"

namespace quantsearch {

namespace {

/// Initializers keep only their names, by which the inliner avoids collisions.
onnx::ModelProto without_values(const Model& model) {
  return model_io::write_model(
      model, [](const Tensor& tensor, model_io::TensorRole role, onnx::TensorProto& proto) {
        if (role != model_io::TensorRole::initializer) model_io::store_inline(tensor, role, proto);
      });
}

/// What the bodies of functions use must be imported by the model once they are in it.
void import_domains_of_functions(onnx::ModelProto& proto) {
  std::set<std::string> known;
  for (const onnx::OperatorSetIdProto& opset : proto.opset_import())
    known.insert(model_io::normal_domain(opset.domain()));
  for (const onnx::FunctionProto& function : proto.functions()) {
    for (const onnx::OperatorSetIdProto& opset : function.opset_import()) {
      if (known.insert(model_io::normal_domain(opset.domain())).second)
        *proto.add_opset_import() = opset;
    }
  }
}

std::vector<std::string> function_names(const Model& model) {
  onnx::ModelProto rest;
  model_io::parse_rest(model.extra, rest);
  std::vector<std::string> names;
  for (const onnx::FunctionProto& function : rest.functions())
    names.push_back(fmt::format("{}.{}", function.domain(), function.name()));
  return names;
}

}  // namespace

std::vector<std::string> functions_of(const Model& model) {
  return model.extra.empty() ? std::vector<std::string>{} : function_names(model);
}

Model inline_functions(const Model& model) {
  onnx::ModelProto proto = without_values(model);
  import_domains_of_functions(proto);
  try {
    onnx::inliner::InlineLocalFunctions(proto);
  } catch (const std::exception& error) {
    throw InvalidInput(fmt::format(
        "inline functions: {}; export the model again with its functions inlined", error.what()));
  }
  proto.mutable_graph()->clear_initializer();
  model_io::ExternalFiles none({});
  Model inlined = model_io::read_model(std::move(proto), none);
  inlined.graph.initializers = model.graph.initializers;
  sort_topologically(inlined.graph);
  return inlined;
}

}  // namespace quantsearch
