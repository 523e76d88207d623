#pragma once

// ONNX Runtime as this room sees it: its environment, its tensors as ours, its failures as our
// errors. Included by the ort_*.cc files alone.

#include <onnxruntime_cxx_api.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quantsearch/model.h"
#include "quantsearch/tensor.h"
#include "runtime/cancellation_watcher.h"

namespace quantsearch {

/// One per process, made by the first session and kept by each.
struct OrtEnvironment {
  OrtEnvironment();
  Ort::Env env;
  Ort::MemoryInfo memory;  // describes buffers of ours
  CancellationWatcher watcher;
};
[[nodiscard]] std::shared_ptr<OrtEnvironment> ort_environment();

/// Full optimization or none; `threads` inside one run, which block instead of spinning while they
/// wait.
/// Adds the provider of the device that use_device() chose.
void run_on_chosen_device(Ort::SessionOptions& options);
[[nodiscard]] Ort::SessionOptions ort_session_options(int threads, bool optimize);

/// Throws Unsupported for a type that ONNX Runtime does not have, naming `name`.
[[nodiscard]] ONNXTensorElementDataType to_ort_type(DataType type, std::string_view name);
[[nodiscard]] DataType from_ort_type(ONNXTensorElementDataType type);

/// A value that reads the tensor's bytes in place (strings are copied): the tensor must outlive it.
[[nodiscard]] Ort::Value to_ort_value(const OrtEnvironment& environment, const Tensor& tensor,
                                      std::string_view name);
/// A tensor that keeps the value alive and reads its bytes in place. Throws Unsupported when it is
/// not a tensor.
[[nodiscard]] Tensor from_ort_value(Ort::Value value, std::string_view name);

// Initializers of at least this many bytes are handed over beside the model. Smaller ones stay
// inside: shape inference reads constants such as the sizes of a Resize from the model and fails
// when it does not find them there. Measured on 1.29: the optimized graph (operators, fused integer
// kernels) is the same for every limit.
inline constexpr std::int64_t kSharedBytes = 1024;

/// ONNX Runtime's view of initializers that stay ours.
struct SharedWeights {
  std::vector<Initializer> initializers;  // own the bytes
  std::vector<std::string> names;
  std::vector<Ort::Value> values;
};
[[nodiscard]] SharedWeights share_weights(const OrtEnvironment& environment,
                                          std::vector<Initializer> initializers);

}  // namespace quantsearch
