// Whole models: every configuration is valid, loads fully optimized and computes what it computes
// unoptimized; and as much of the default configuration runs on integers as did when the numbers
// below were taken (ONNX Runtime 1.29).

#include <gtest/gtest.h>

#include <filesystem>

#include "quantize/fixture.h"
#include "quantsearch/transform.h"

namespace quantsearch {
namespace {

using testing::random_tensor;

struct ModelCase {
  std::string name;
  std::string
      path;     // below the source directory, or below the dependencies when it begins with "ocr/"
  Shape shape;  // of the input
  int integer_kernels = 0;  // at least, in the default configuration
  int float_compute = 0;    // at most
};

// googletest prints parameters; this keeps the names readable.
void PrintTo(const ModelCase& model, std::ostream* stream) { *stream << model.name; }

const ModelCase kCases[] = {
    {"resnet8", "tests/data/resnet8.onnx", {1, 1, 28, 28}, 15, 0},
    {"mobilenet_s", "examples/fashion_mnist/mobilenet_s.onnx", {1, 1, 28, 28}, 29, 0},
    {"tinyvit", "tests/data/tinyvit.onnx", {1, 1, 28, 28}, 40, 0},
    {"ocr_cls", "ocr/ch_ppocr_mobile_v2.0_cls_infer.onnx", {1, 3, 48, 96}, 80, 0},
    {"ocr_rec", "ocr/ch_PP-OCRv4_rec_infer.onnx", {1, 3, 48, 64}, 150, 0},
    {"ocr_det", "ocr/ch_PP-OCRv4_det_infer.onnx", {1, 3, 64, 64}, 200, 2},
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

TEST_P(WholeModel, EveryConfigurationIsValidAndLoads) {
  for (const DataType type : {DataType::uint8, DataType::int8, DataType::uint16, DataType::int16}) {
    for (const bool symmetric : {false, true}) {
      for (const bool per_channel : {false, true}) {
        const QuantizedModel result = quantized({.activation_type = type,
                                                 .activation_symmetric = symmetric,
                                                 .per_channel = per_channel});
        check_model(result.model);
        const auto outputs = open_session(result.model)->run(samples(100, 1)[0]);
        for (const auto& [name, value] : outputs) EXPECT_EQ(count_non_finite(value).nan, 0) << name;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, WholeModel, ::testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace quantsearch
