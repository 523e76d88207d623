// Whole models compute the same after equalization as before, up to rounding.

#include <gtest/gtest.h>

#include <filesystem>

#include "equalize/equivalence.h"
#include "quantsearch/equalize.h"
#include "quantsearch/transform.h"

namespace quantsearch {
namespace {

using testing::relative_difference;

struct ModelCase {
  std::string name;
  std::string path;  // in the source tree, or in the dependencies when it begins with "ocr/"
  std::int64_t size = 28;
  bool is_changed = true;
};

void PrintTo(const ModelCase& model, std::ostream* stream) { *stream << model.name; }

const ModelCase kCases[] = {
    {"resnet8", "tests/data/resnet8.onnx"},
    {"mobilenet_hard", "tests/data/mobilenet_hard.onnx"},
    {"mobilenet_s", "examples/fashion_mnist/mobilenet_s.onnx", 28, false},  // ReLU6 everywhere
    {"tinyvit", "tests/data/tinyvit.onnx", 28, false},  // Gelu between its layers
    {"ocr_cls", "ocr/ch_ppocr_mobile_v2.0_cls_infer.onnx", 48},
    {"ocr_rec", "ocr/ch_PP-OCRv4_rec_infer.onnx", 48},
    {"ocr_det", "ocr/ch_PP-OCRv4_det_infer.onnx", 64},
};

class EqualizedModel : public ::testing::TestWithParam<ModelCase> {
 protected:
  [[nodiscard]] static Model load() {
    const std::string& path = GetParam().path;
    const std::filesystem::path root =
        path.starts_with("ocr/") ? QUANTSEARCH_DEPS_DIR : QUANTSEARCH_SOURCE_DIR;
    return simplify(load_model(root / path)).model;
  }
};

TEST_P(EqualizedModel, ComputesTheSame) {
  const Model model = load();
  for (const std::optional<int> steps : {std::optional<int>(1), std::optional<int>()}) {
    const Equalized result = equalize(model, {.steps = steps});
    EXPECT_EQ(result.changed, GetParam().is_changed);
    EXPECT_EQ(result.changed, !(result.model == model));
    EXPECT_EQ(can_equalize(model, {}), GetParam().is_changed);
    check_model(result.model);
    EXPECT_LT(relative_difference(model, result.model, 1, GetParam().size), 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, EqualizedModel, ::testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace quantsearch
