#pragma once

// Each adapter converts one operator at one opset version that changed its meaning or its form.
// Versions that only allow more (types, optional inputs) need no adapter; libonnx's own list says
// which those are (compatible_changes.h).
//
// libonnx's adapters are not used for the rest, because several of them change results: Resize
// 10 -> 11 loses the coordinate mode, Hardmax 12 -> 13 loses the axis, and Clip and Pad 10 -> 11
// write float32 constants beside float16 inputs. Moreover, its intermediate graph drops functions,
// metadata, documentation and sparse initializers.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "quantsearch/model.h"

namespace quantsearch::model_io {

/// Gives an adapter access to the graph of its node: known types and constants, new names and new
/// initializers.
class AdapterContext {
 public:
  virtual ~AdapterContext() = default;
  /// Null when nothing is known about the tensor.
  [[nodiscard]] virtual const ValueInfo* value(std::string_view tensor) const = 0;
  /// The tensor's constant value; null when it is computed.
  [[nodiscard]] virtual const Tensor* constant(std::string_view tensor) const = 0;
  /// The opset at the end of the whole conversion.
  [[nodiscard]] virtual std::int64_t target_opset() const = 0;
  /// A name that the model does not use yet.
  [[nodiscard]] virtual std::string unique(std::string_view wanted) = 0;
  /// Adds an initializer and returns its name.
  [[nodiscard]] virtual std::string add_initializer(std::string_view wanted, Tensor tensor) = 0;
};

/// Returns the nodes, in order, that compute at the new version what `node` computed before. Throws
/// Unsupported with the reason (without the node's name) when there are none.
using OpsetAdapter = std::function<std::vector<Node>(Node node, AdapterContext& context)>;

/// Null when there is no adapter for the operator at this version.
[[nodiscard]] const OpsetAdapter* find_opset_adapter(std::string_view op_type,
                                                     std::int64_t version);

}  // namespace quantsearch::model_io
