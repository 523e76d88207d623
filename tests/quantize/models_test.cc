// Tests whole models. Every configuration is valid, loads fully optimized and computes the same as
// unoptimized. At least as much of the default configuration runs on integers as when the numbers
// below were measured (ONNX Runtime 1.29).

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "quantize/fixture.h"
#include "quantize/saturating_kernel.h"
#include "quantsearch/transform.h"

namespace quantsearch {
namespace {

using testing::random_tensor;

struct ModelCase {
  std::string name;
  // Below the source directory, or below the dependencies when it begins with "ocr/".
  std::string path;
  Shape shape;              // of the input
  int integer_kernels = 0;  // at least, in the default configuration
  int float_compute = 0;    // at most
  bool is_chaotic = false;  // on random inputs
};

// Prints the name of a case instead of its bytes in messages of googletest.
void PrintTo(const ModelCase& model, std::ostream* stream) { *stream << model.name; }

const ModelCase kCases[] = {
    {"resnet8", "tests/data/resnet8.onnx", {1, 1, 28, 28}, 17, 0},
    {"mobilenet_s", "examples/fashion_mnist/mobilenet_s.onnx", {1, 1, 28, 28}, 31, 0},
    {"tinyvit", "tests/data/tinyvit.onnx", {1, 1, 28, 28}, 61, 0},
    {"ocr_cls", "ocr/ch_ppocr_mobile_v2.0_cls_infer.onnx", {1, 3, 48, 96}, 129, 0},
    {"ocr_rec", "ocr/ch_PP-OCRv4_rec_infer.onnx", {1, 3, 48, 64}, 226, 0, true},
    {"ocr_det", "ocr/ch_PP-OCRv4_det_infer.onnx", {1, 3, 64, 64}, 208, 2, true},
};

class WholeModel : public ::testing::TestWithParam<ModelCase> {
 protected:
  void SetUp() override {
    const std::string& path = GetParam().path;
    const bool is_dependency = path.starts_with("ocr/");
    const std::filesystem::path file =
        std::filesystem::path(is_dependency ? QUANTSEARCH_DEPS_DIR : QUANTSEARCH_SOURCE_DIR) / path;
    model_ = simplify(load_model(file)).model;
    input_ = model_.graph.inputs[0].name;
    ranges_ = testing::ranges_over(model_, samples(100, 2));
  }

  [[nodiscard]] std::vector<Batch> samples(std::uint64_t seed, int count) const {
    std::vector<Batch> batches;
    for (int sample = 0; sample < count; ++sample) {
      batches.push_back(
          {{input_,
            random_tensor(GetParam().shape, seed + static_cast<std::uint64_t>(sample), -1, 2)}});
    }
    return batches;
  }

  [[nodiscard]] QuantizedModel quantized(const QuantizeOptions& options) const {
    ThreadPool pool(1);
    return quantize(model_, ranges_, options, pool);
  }

  Model model_;
  std::string input_;
  Ranges ranges_;
};

TEST_P(WholeModel, RunsOnIntegersByDefault) {
  for (const bool per_channel : {false, true}) {
    const KernelReport report =
        report_kernels(optimized_model(quantized({.per_channel = per_channel}).model));
    std::string operators;
    for (const auto& [op, count] : report.operators)
      operators += op + "=" + std::to_string(count) + " ";
    EXPECT_GE(report.integer_kernels, GetParam().integer_kernels) << operators;
    EXPECT_LE(report.float_compute, GetParam().float_compute) << operators;
  }
}

TEST_P(WholeModel, EveryConfigurationIsValidAndComputesTheSameOptimized) {
  for (const DataType type : {DataType::uint8, DataType::int8, DataType::uint16, DataType::int16}) {
    for (const bool symmetric : {false, true}) {
      for (const bool per_channel : {false, true}) {
        // The largest models run half of the combinations, in which each pair of settings still
        // occurs.
        const bool is_signed = type == DataType::int8 || type == DataType::int16;
        if (GetParam().integer_kernels > 100 && (symmetric == per_channel) == is_signed) continue;
        const QuantizedModel result = quantized({.activation_type = type,
                                                 .activation_symmetric = symmetric,
                                                 .per_channel = per_channel});
        check_model(result.model);
        // In the deep recognizer and detector one value that is rounded differently can cause a
        // difference of any size on such inputs (noise .48 of the detector's output was observed).
        // For them NoSumSaturates compares the sums instead.
        const double apart = testing::steps_apart_on(result, samples(100, 1));
        EXPECT_LE(apart, GetParam().is_chaotic ? std::numeric_limits<double>::max() : 3)
            << to_string(type) << (symmetric ? " symmetric" : "")
            << (per_channel ? " per channel" : "");
      }
    }
  }
}

TEST_P(WholeModel, NoSumSaturates) {
  for (const DataType type : {DataType::uint8, DataType::int8}) {
    const QuantizedModel result = quantized({.activation_type = type, .per_channel = true});
    for (const auto& [layer, count] : testing::saturated_sums(result.model, samples(100, 1)))
      EXPECT_EQ(count, 0) << layer << " of " << to_string(type);
  }
}

/// The records predict which Conv, Gemm and MatMul nodes ONNX Runtime runs in float.
TEST_P(WholeModel, RecordsForecastWhatRunsInFloat) {
  for (const DataType type : {DataType::uint8, DataType::int8}) {
    for (const bool symmetric : {false, true}) {
      const QuantizedModel result =
          quantized({.activation_type = type, .activation_symmetric = symmetric});
      EXPECT_EQ(report_kernels(optimized_model(result.model)).float_compute,
                testing::float_forecast(result.layers))
          << to_string(type) << (symmetric ? " symmetric" : "");
    }
  }
}

/// Every third node that computes has 16-bit activations, every fifth 16-bit weights.
QuantizeOptions mixed_options(const Model& model, DataType narrow, DataType wide) {
  QuantizeOptions options{.activation_type = narrow};
  int computing = 0;
  for (const LayerRecord& layer : plan_layers(model, options)) {
    // MatMul may have no weight.
    const bool weighted = layer.op_type == "Conv" || layer.op_type == "Gemm";
    if (!layer.quantized || (!weighted && layer.op_type != "Mul")) continue;
    ++computing;
    NodeFormat format;
    if (computing % 3 == 0) format.activation = wide;
    if (computing % 5 == 0 && weighted) format.weight = DataType::int16;
    if (format != NodeFormat{}) options.node_formats[layer.node] = format;
  }
  return options;
}

TEST_P(WholeModel, MixedFormatsAreValidAndRunAsForecast) {
  for (const auto& [narrow, wide] :
       {std::pair(DataType::uint8, DataType::uint16), std::pair(DataType::int8, DataType::int16)}) {
    const QuantizedModel result = quantized(mixed_options(model_, narrow, wide));
    check_model(result.model);
    const double apart = testing::steps_apart_on(result, samples(100, 1));
    EXPECT_LE(apart, GetParam().is_chaotic ? std::numeric_limits<double>::max() : 3)
        << to_string(wide);
    EXPECT_EQ(report_kernels(optimized_model(result.model)).float_compute,
              testing::float_forecast(result.layers));
  }
}

INSTANTIATE_TEST_SUITE_P(Models, WholeModel, ::testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace quantsearch
