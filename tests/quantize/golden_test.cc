// Compares min-max weight scales and integers of resnet8, per-tensor and per-channel, with those
// that another quantizer wrote (tests/data/golden).

#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "quantsearch/base/value.h"
#include "quantsearch/quantize.h"

namespace quantsearch {
namespace {

void expect_golden_weights(const std::string& file, int axis) {
  const std::filesystem::path data = std::filesystem::path(QUANTSEARCH_SOURCE_DIR) / "tests/data";
  const Model model = load_model(data / "resnet8.onnx");
  const Value golden = load_config_file(data / "golden" / file);
  int compared = 0;
  for (const auto& [name, expected] : golden.find("dq_weights")->as_map()) {
    if (expected.find("type")->as_string() != "int8") continue;
    const Tensor* weight = model.graph.find_initializer(name.substr(0, name.rfind("_quantized")));
    ASSERT_NE(weight, nullptr) << name;
    const QuantizedTensor actual = quantize_weight(*weight, {.axis = axis});
    const Value::List& scales = expected.find("scale")->as_list();
    ASSERT_EQ(actual.params.scales.size(), scales.size()) << name;
    for (std::size_t channel = 0; channel < scales.size(); ++channel) {
      EXPECT_FLOAT_EQ(actual.params.scales[channel],
                      static_cast<float>(scales[channel].as_double()))
          << name;
    }
    const std::vector<std::int64_t> integers = to_int64s(actual.integers);
    EXPECT_EQ(std::accumulate(integers.begin(), integers.end(), std::int64_t{0}),
              expected.find("sum_int")->as_int())
        << name;
    ++compared;
  }
  EXPECT_EQ(compared, 10);
}

TEST(GoldenWeights, MatchThePerTensorReference) {
  expect_golden_weights("resnet8__minmax_s8.json", -1);
}

TEST(GoldenWeights, MatchThePerChannelReference) {
  expect_golden_weights("resnet8__minmax_s8_pc.json", 0);
}

}  // namespace
}  // namespace quantsearch
