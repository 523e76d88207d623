// Whole models compute the same after smoothing as before, up to rounding.

#include <gtest/gtest.h>

#include <filesystem>

#include "equalize/equivalence.h"
#include "quantsearch/equalize.h"
#include "quantsearch/quantize.h"
#include "quantsearch/transform.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::random_tensor;
using testing::relative_difference;

struct SmoothCase {
  std::string name;
  std::string path;  // in the source tree, or in the dependencies when it begins with "ocr/"
  Shape image;       // shape of the only input
};

void PrintTo(const SmoothCase& model, std::ostream* stream) { *stream << model.name; }

const SmoothCase kSmoothCases[] = {
    {"tinyvit", "tests/data/tinyvit.onnx", {1, 1, 28, 28}},
    {"resnet8", "tests/data/resnet8.onnx", {1, 1, 28, 28}},
    {"mobilenet_s", "examples/fashion_mnist/mobilenet_s.onnx", {1, 1, 28, 28}},
    {"ocr_rec", "ocr/ch_PP-OCRv4_rec_infer.onnx", {1, 3, 48, 64}},
};

class SmoothedModel : public ::testing::TestWithParam<SmoothCase> {
 protected:
  void SetUp() override {
    const std::string& path = GetParam().path;
    const std::filesystem::path root =
        path.starts_with("ocr/") ? QUANTSEARCH_DEPS_DIR : QUANTSEARCH_SOURCE_DIR;
    model = simplify(load_model(root / path)).model;
    const std::string input = model.graph.inputs[0].name;
    ThreadPool pool(2);
    statistics =
        observe(model, *in_memory_data({{input, random_tensor(GetParam().image, 5, -1, 2)}}), pool,
                {.tensors = tensors_to_observe(model)});
    inputs = {{input, random_tensor(GetParam().image, 6, -1, 2)}};
  }

  Model model;
  Statistics statistics;
  std::map<std::string, Tensor> inputs;
};

TEST_P(SmoothedModel, ComputesTheSame) {
  for (const auto& alpha : {std::optional<double>(0.5), std::optional<double>()}) {
    const Smoothed result = smooth(model, statistics, {.alpha = alpha});
    EXPECT_TRUE(result.changed);
    check_model(result.model);
    EXPECT_LT(relative_difference(model, result.model, inputs), 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, SmoothedModel, ::testing::ValuesIn(kSmoothCases),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace quantsearch
