#include <fmt/core.h>

#include <map>
#include <utility>

#include "quantsearch/base/error.h"
#include "quantsearch/runtime.h"
#include "runtime/ort_message.h"
#include "runtime/ort_support.h"
#include "runtime/signature.h"

namespace quantsearch {

namespace {

std::vector<Dimension> dimensions_of(const Ort::ConstTensorTypeAndShapeInfo& info) {
  const std::vector<std::int64_t> sizes = info.GetShape();
  std::vector<const char*> symbols(sizes.size(), "");
  if (!symbols.empty()) info.GetSymbolicDimensions(symbols.data(), symbols.size());
  std::vector<Dimension> dimensions;
  for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
    if (sizes[axis] >= 0) {
      dimensions.push_back({.size = sizes[axis], .symbol = ""});
    } else {
      dimensions.push_back({.size = std::nullopt, .symbol = symbols[axis]});
    }
  }
  return dimensions;
}

/// Values that are not tensors get an undefined type and no dimensions.
ValueInfo value_of(const std::string& name, const Ort::TypeInfo& info) {
  ValueInfo value;
  value.name = name;
  if (info.GetONNXType() != ONNX_TYPE_TENSOR) return value;
  const auto tensor = info.GetTensorTypeAndShapeInfo();
  value.type = from_ort_type(tensor.GetElementType());
  // ONNX Runtime reports rank 0 both for a scalar and for an output of unknown rank, so a rank of 0
  // counts as unknown.
  if (std::vector<Dimension> dimensions = dimensions_of(tensor); !dimensions.empty()) {
    value.dimensions = std::move(dimensions);
  }
  return value;
}

}  // namespace

std::vector<ValueInfo> runtime_types(const Model& model, const std::vector<std::string>& tensors) {
  const std::shared_ptr<OrtEnvironment> environment = ort_environment();
  const Signature signature(model, tensors);
  DetachedModel detached =
      detach_initializers(with_outputs(model, signature.inner_taps()), kSharedBytes);
  const SharedWeights weights = share_weights(*environment, std::move(detached.initializers));
  std::map<std::string, ValueInfo, std::less<>> known;
  try {
    Ort::SessionOptions options = ort_session_options(1, false);
    if (!weights.names.empty()) options.AddExternalInitializers(weights.names, weights.values);
    const Ort::Session session(environment->env, detached.proto.data(), detached.proto.size(),
                               options);
    const Ort::AllocatorWithDefaultOptions allocator;
    for (std::size_t index = 0; index < session.GetOutputCount(); ++index) {
      const std::string name = session.GetOutputNameAllocated(index, allocator).get();
      known.emplace(name, value_of(name, session.GetOutputTypeInfo(index)));
    }
  } catch (const Ort::Exception& failure) {
    throw InvalidInput(fmt::format("open session: {} cannot load the model: {}", runtime_version(),
                                   one_line(failure.what())));
  }
  std::vector<ValueInfo> found;
  for (const std::string& tensor : tensors) {
    if (const auto value = known.find(tensor); value != known.end()) found.push_back(value->second);
  }
  return found;
}

}  // namespace quantsearch
