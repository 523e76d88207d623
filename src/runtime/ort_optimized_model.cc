#include <fmt/core.h>
#include <onnxruntime_session_options_config_keys.h>

#include <filesystem>
#include <utility>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/runtime.h"
#include "runtime/ort_message.h"
#include "runtime/ort_support.h"

namespace quantsearch {

namespace {

// Weights beyond this size are written to a separate file: a protobuf is limited to 2 GB, and
// optimized weights may be larger than the original ones because blocked layouts pad channels.
constexpr std::int64_t kInlineWeightBytes = std::int64_t{1} << 30;

}  // namespace

Model optimized_model(const Model& model) {
  const auto environment = ort_environment();
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "optimized.onnx";
  DetachedModel detached = detach_initializers(model, kSharedBytes);
  const SharedWeights weights = share_weights(*environment, std::move(detached.initializers));
  Ort::SessionOptions options = ort_session_options(1, true);
  options.SetOptimizedModelFilePath(file.c_str());
  if (weight_bytes(model.graph) > kInlineWeightBytes) {
    options.AddConfigEntry(kOrtSessionOptionsOptimizedModelExternalInitializersFileName,
                           "optimized.data");
    options.AddConfigEntry(kOrtSessionOptionsOptimizedModelExternalInitializersMinSizeInBytes,
                           "1024");
  }
  try {
    if (!weights.names.empty()) options.AddExternalInitializers(weights.names, weights.values);
    const Ort::Session session(environment->env, detached.proto.data(), detached.proto.size(),
                               options);
  } catch (const Ort::Exception& failure) {
    throw InvalidInput(fmt::format("optimize: {} cannot load the model: {}", runtime_version(),
                                   one_line(failure.what())));
  }
  return load_model(file);
}

}  // namespace quantsearch
