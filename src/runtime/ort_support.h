#pragma once

// The parts of ONNX Runtime that this room shares: its environment, session options, and
// conversions between its tensors and ours. Only the ort_*.cc files and devices.cc include this
// header.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quantsearch/model.h"
#include "quantsearch/runtime.h"
#include "quantsearch/tensor.h"
#include "runtime/cancellation_watcher.h"
#include "runtime/ort_api.h"

namespace quantsearch {

/// There is one per process; the first session creates it and every session keeps it alive.
struct [[gnu::visibility("hidden")]] OrtEnvironment {
  OrtEnvironment();
  Ort::Env env;
  Ort::MemoryInfo memory;  // describes buffers that we own
  CancellationWatcher watcher;
};
[[nodiscard]] std::shared_ptr<OrtEnvironment> ort_environment();

/// Makes sessions with `options` run on `device`, with that many threads where the provider has
/// threads of its own. Throws Unsupported with the runtime's message when it cannot.
void run_on(const Device& device, int threads, Ort::SessionOptions& options);
/// Options with full optimization or none, for `threads` threads inside one run, which block
/// instead of spinning while they wait.
[[nodiscard]] Ort::SessionOptions ort_session_options(int threads, bool optimize);

/// Throws Unsupported naming the tensor `name` for a type that ONNX Runtime does not have.
[[nodiscard]] ONNXTensorElementDataType to_ort_type(DataType type, std::string_view name);
[[nodiscard]] DataType from_ort_type(ONNXTensorElementDataType type);

/// A value that reads the tensor's bytes in place (strings are copied), so the tensor must outlive
/// it.
[[nodiscard]] Ort::Value to_ort_value(const OrtEnvironment& environment, const Tensor& tensor,
                                      std::string_view name);
/// A tensor that keeps the value alive and reads its bytes in place. Throws Unsupported naming the
/// output `name` when the value is not a tensor.
[[nodiscard]] Tensor from_ort_value(Ort::Value value, std::string_view name);

// Initializers of at least this many bytes are passed separately from the model. Smaller ones stay
// inside: shape inference reads constants such as the sizes of a Resize from the model and fails
// when they are missing. Measured on 1.29: the optimized graph (operators, fused integer kernels)
// is the same for every limit.
inline constexpr std::int64_t kSharedBytes = 1024;

/// Initializers that we own, as values of ONNX Runtime.
struct [[gnu::visibility("hidden")]] SharedWeights {
  std::vector<Initializer> initializers;  // own the bytes
  std::vector<std::string> names;
  std::vector<Ort::Value> values;
};
[[nodiscard]] SharedWeights share_weights(const OrtEnvironment& environment,
                                          std::vector<Initializer> initializers);

}  // namespace quantsearch
