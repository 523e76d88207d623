// Compares the largest weight of every channel after equalization with values measured from Quark
// 0.13: for all layers of resnet8, and for the one pair of mobilenet_hard that no triple of Quark
// overlaps.

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "quantsearch/base/value.h"
#include "quantsearch/equalize.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/transform.h"

namespace quantsearch {
namespace {

class GoldenEqualization : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenEqualization, ChannelsAreAsLargeAsInQuark) {
  const std::filesystem::path data = std::filesystem::path(QUANTSEARCH_SOURCE_DIR) / "tests/data";
  const Model model = simplify(load_model(data / (GetParam() + ".onnx"))).model;
  const Equalized equalized = equalize(model, {});
  EXPECT_TRUE(equalized.changed);
  const std::filesystem::path file = data / "golden/cle_absmax.json";
  const Value document = parse_json(read_file(file), file.string());
  for (const auto& [layer, golden] : document.find(GetParam())->as_map()) {
    const Tensor* weight =
        equalized.model.graph.find_initializer(golden.find("weight")->as_string());
    ASSERT_NE(weight, nullptr) << layer;
    const auto values = weight->values<float>();
    const auto& expected = golden.find("absmax_out")->as_list();
    const std::size_t row = values.size() / expected.size();
    for (std::size_t channel = 0; channel < expected.size(); ++channel) {
      float largest = 0;
      for (const float value : values.subspan(channel * row, row))
        largest = std::max(largest, std::abs(value));
      EXPECT_NEAR(largest / expected[channel].as_double(), 1, 2e-6) << layer << " " << channel;
    }
    const Node* node = nullptr;
    for (const Node& candidate : equalized.model.graph.nodes)
      if (candidate.name == layer) node = &candidate;
    ASSERT_NE(node, nullptr);
    const auto& bias = golden.find("bias")->as_list();
    const Tensor* written = equalized.model.graph.find_initializer(node->input(2));
    for (std::size_t channel = 0; channel < bias.size(); ++channel) {
      EXPECT_NEAR(written->values<float>()[channel], bias[channel].as_double(),
                  2e-6 * std::abs(bias[channel].as_double()))
          << layer;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenEqualization,
                         ::testing::Values("resnet8", "mobilenet_hard"));

}  // namespace
}  // namespace quantsearch
