#include "model/proto_write.h"
#include "quantsearch/base/hash.h"
#include "quantsearch/model.h"

namespace quantsearch {

Key content_key(const Model& model) {
  // The bytes of tensors go straight into the hash, in the order in which they would be written.
  // The rest is hashed as it would be serialized without them.
  KeyBuilder builder;
  builder.add("quantsearch.model");
  const onnx::ModelProto frame = model_io::write_model(
      model, [&](const Tensor& tensor, model_io::TensorRole /*role*/,
                 onnx::TensorProto& /*proto*/) { builder.add(tensor.bytes()); });
  builder.add(frame.SerializeAsString());
  return builder.finish();
}

}  // namespace quantsearch
