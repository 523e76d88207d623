#include "runtime/ort_support.h"

#include <fmt/core.h>
#include <onnxruntime_session_options_config_keys.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "quantsearch/base/error.h"
#include "runtime/ort_library.h"

namespace quantsearch {

namespace {

// ONNX Runtime also logs the errors that it returns, and the library must not print.
void ORT_API_CALL discard_log(void*, OrtLoggingLevel, const char*, const char*, const char*,
                              const char*) {}

struct TypePair {
  DataType ours;
  ONNXTensorElementDataType theirs;
};

// The numbers of ONNX and ONNX Runtime agree up to float4e2m1 and differ after it.
constexpr TypePair kTypes[] = {
    {DataType::float32, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
    {DataType::uint8, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8},
    {DataType::int8, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8},
    {DataType::uint16, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16},
    {DataType::int16, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16},
    {DataType::int32, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32},
    {DataType::int64, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64},
    {DataType::string, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING},
    {DataType::boolean, ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL},
    {DataType::float16, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16},
    {DataType::float64, ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE},
    {DataType::uint32, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32},
    {DataType::uint64, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64},
    {DataType::complex64, ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX64},
    {DataType::complex128, ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX128},
    {DataType::bfloat16, ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16},
    {DataType::float8e4m3fn, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FN},
    {DataType::float8e4m3fnuz, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FNUZ},
    {DataType::float8e5m2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E5M2},
    {DataType::float8e5m2fnuz, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E5M2FNUZ},
    {DataType::uint4, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT4},
    {DataType::int4, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT4},
    {DataType::float4e2m1, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT4E2M1},
    {DataType::float8e8m0, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E8M0},
    {DataType::uint2, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT2},
    {DataType::int2, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT2},
};

std::vector<std::string> read_strings(const Ort::Value& value, std::int64_t count) {
  std::vector<std::string> strings;
  for (std::size_t index = 0; index < static_cast<std::size_t>(count); ++index) {
    strings.push_back(value.GetStringTensorElement(index));
  }
  return strings;
}

}  // namespace

OrtEnvironment::OrtEnvironment()
    : env(ORT_LOGGING_LEVEL_FATAL, "quantsearch", discard_log, nullptr),
      memory(Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault)) {}

std::shared_ptr<OrtEnvironment> ort_environment() {
  static const auto kEnvironment = [] {
    (void)ort_library();
    return std::make_shared<OrtEnvironment>();
  }();
  return kEnvironment;
}

Ort::SessionOptions ort_session_options(int threads, bool optimize) {
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(threads);
  options.SetInterOpNumThreads(1);
  options.SetGraphOptimizationLevel(optimize ? ORT_ENABLE_ALL : ORT_DISABLE_ALL);
  options.SetLogSeverityLevel(ORT_LOGGING_LEVEL_FATAL);
  options.AddConfigEntry(kOrtSessionOptionsConfigAllowIntraOpSpinning, "0");
  return options;
}

ONNXTensorElementDataType to_ort_type(DataType type, std::string_view name) {
  const auto* const pair = std::ranges::find(kTypes, type, &TypePair::ours);
  if (pair == std::end(kTypes)) {
    throw Unsupported(
        fmt::format("runtime: tensor '{}' has the type {}, which ONNX Runtime does not know", name,
                    to_string(type)));
  }
  return pair->theirs;
}

DataType from_ort_type(ONNXTensorElementDataType type) {
  const auto* const pair = std::ranges::find(kTypes, type, &TypePair::theirs);
  return pair == std::end(kTypes) ? DataType::undefined : pair->ours;
}

Ort::Value to_ort_value(const OrtEnvironment& environment, const Tensor& tensor,
                        std::string_view name) {
  const ONNXTensorElementDataType type = to_ort_type(tensor.type(), name);
  const Shape& shape = tensor.shape();
  if (tensor.type() == DataType::string) {
    Ort::Value value = Ort::Value::CreateTensor(Ort::AllocatorWithDefaultOptions(), shape.data(),
                                                shape.size(), type);
    std::vector<const char*> texts;
    for (const std::string& text : tensor.strings()) texts.push_back(text.c_str());
    value.FillStringTensor(texts.data(), texts.size());
    return value;
  }
  static const std::byte kNothing{};  // ONNX Runtime needs a pointer even for an empty tensor
  const std::byte* const bytes = tensor.bytes().empty() ? &kNothing : tensor.bytes().data();
  // Inputs and initializers are only read, but the C interface takes no pointer to const.
  return Ort::Value::CreateTensor(environment.memory, const_cast<std::byte*>(bytes),
                                  tensor.bytes().size(), shape.data(), shape.size(), type);
}

Tensor from_ort_value(Ort::Value value, std::string_view name) {
  if (!value.IsTensor()) {
    throw Unsupported(
        fmt::format("run: output '{}' is not a tensor; only tensors can be read", name));
  }
  const auto info = value.GetTensorTypeAndShapeInfo();
  const DataType type = from_ort_type(info.GetElementType());
  Shape shape = info.GetShape();
  if (type == DataType::string) {
    const std::int64_t count = element_count(shape);
    return Tensor::of_strings(std::move(shape), read_strings(value, count));
  }
  const auto length = static_cast<std::size_t>(byte_count(type, shape));
  const auto owner = std::make_shared<Ort::Value>(std::move(value));
  // GetTensorRawData needs ONNX Runtime 1.23.
  const auto* const bytes = static_cast<const std::byte*>(owner->GetTensorMutableRawData());
  return Tensor::wrapping(type, std::move(shape), owner, {bytes, length});
}

SharedWeights share_weights(const OrtEnvironment& environment,
                            std::vector<Initializer> initializers) {
  SharedWeights weights;
  weights.initializers = std::move(initializers);
  for (const Initializer& initializer : weights.initializers) {
    weights.names.push_back(initializer.name);
    weights.values.push_back(to_ort_value(environment, *initializer.tensor, initializer.name));
  }
  return weights;
}

}  // namespace quantsearch
