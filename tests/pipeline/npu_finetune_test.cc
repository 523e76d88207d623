// Reconstruction under the rules of fixed-point NPUs. Quantization satisfied the limits of the
// shifters, so reconstruction must keep the positions.

#include <gtest/gtest.h>

#include "quantsearch/base/value.h"
#include "quantsearch/pipeline/pipeline.h"
#include "support/source_tree.h"

namespace quantsearch {
namespace {

using testing::kSource;

class NpuFinetune : public ::testing::Test {
 protected:
  std::map<std::string, TensorParams> parameters(const std::string& config) {
    const Settings settings = settings_from(parse_yaml(config, "test"));
    return pipeline_.build(resolve(settings), {}).quantized->tensors;
  }

  Model model_ = load_model(kSource / "tests/data/resnet8.onnx");
  LoadedData data_ =
      open_data(kSource / "examples/fashion_mnist/calibration_100.npz", model_, {.limit = 10});
  ThreadPool pool_{2};
  Pipeline pipeline_{model_, data_.source, pool_, ByteBudget(std::int64_t{1} << 28), {}};
};

TEST_F(NpuFinetune, ReconstructionMovesNoPosition) {
  // With this calibration the scales can be improved.
  const std::string base = "preset: XINT8, calibrate_method: PowerOfTwoMethod.NonOverflow";
  const auto plain = parameters("{" + base + "}");
  for (const char* method : {"gptq", "adaround", "adaquant"}) {
    EXPECT_EQ(parameters("{" + base +
                         ", include_fast_ft: true, extra_options: {BiasCorrection: true, "
                         "FastFinetune: {OptimAlgorithm: " +
                         method + ", NumIterations: 10}}}"),
              plain)
        << method;
  }
}

// This test shows that gptq has better scales to choose, without which the test above could not
// fail.
TEST_F(NpuFinetune, WithoutAnNpuReconstructionChangesScales) {
  const std::string base =
      "calibrate_method: PowerOfTwoMethod.NonOverflow, activation_type: QInt8, per_channel: false";
  const auto plain = parameters("{" + base + "}");
  EXPECT_NE(parameters("{" + base +
                       ", include_fast_ft: true, extra_options: {FastFinetune: {OptimAlgorithm: "
                       "gptq}}}"),
            plain);
}

TEST(NpuFinetuneOptions, AnNpuFixesTheScalesThatGptqWouldChoose) {
  const auto settings_with = [](const std::string& preset, const std::string& more) {
    return settings_from(parse_yaml("{preset: " + preset +
                                        ", include_fast_ft: true, extra_options: {FastFinetune: "
                                        "{OptimAlgorithm: gptq" +
                                        more + "}}}",
                                    "test"));
  };
  EXPECT_TRUE(resolve(settings_with("A8W8", "")).finetune->choose_scales);
  EXPECT_FALSE(resolve(settings_with("XINT8", "")).finetune->choose_scales);
  EXPECT_EQ(contradiction(settings_with("XINT8", ", ChooseScales: true")),
            "enable_npu_cnn settles the scales that ChooseScales would choose");
  EXPECT_EQ(contradiction(settings_with("XINT8", ", ChooseScales: false")), std::nullopt);
}

}  // namespace
}  // namespace quantsearch
