#pragma once

// What to do with one operator at the one opset version that changed its meaning or its form.
// Versions that only allow more (types, optional inputs) are not here: libonnx's own list says
// which those are (convert_opset.cc).
//
// libonnx's adapters are not used for the rest, because several change results: Resize 10 -> 11
// forgets the coordinate mode, Hardmax 12 -> 13 the axis; Clip and Pad 10 -> 11 write float32
// beside float16; and its intermediate graph drops functions, metadata, documentation and sparse
// initializers.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "quantsearch/model.h"

namespace quantsearch::model_io {

/// What an adapter may ask about the graph around its node, and what it may add to it.
class AdapterContext {
 public:
  virtual ~AdapterContext() = default;
  /// Null when nothing is known about the tensor.
  [[nodiscard]] virtual const ValueInfo* value(std::string_view tensor) const = 0;
  /// The tensor's constant value; null when it is computed.
  [[nodiscard]] virtual const Tensor* constant(std::string_view tensor) const = 0;
  /// The opset the whole conversion goes to.
  [[nodiscard]] virtual std::int64_t target_opset() const = 0;
  /// A name not used yet.
  [[nodiscard]] virtual std::string unique(std::string_view wanted) = 0;
  /// Adds an initializer and returns its name.
  [[nodiscard]] virtual std::string add_initializer(std::string_view wanted, Tensor tensor) = 0;
};

/// The nodes, in order, that do at the new version what `node` did before. Throws Unsupported with
/// the reason (without the node's name) when there are none.
using OpsetAdapter = std::function<std::vector<Node>(Node node, AdapterContext& context)>;

/// Null when the operator needs no adapter of ours at this version.
[[nodiscard]] const OpsetAdapter* find_opset_adapter(std::string_view op_type,
                                                     std::int64_t version);

}  // namespace quantsearch::model_io
