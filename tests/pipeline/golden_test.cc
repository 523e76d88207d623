// Compares the scales, zero points and types of every activation of resnet8, from the configuration
// to the written model, with those that Quark 0.13 wrote for the same 100 images;
// docs/quantization.md lists the differences and their reasons.

#include <gtest/gtest.h>

#include <cmath>

#include "quantsearch/base/value.h"
#include "quantsearch/pipeline/pipeline.h"
#include "support/source_tree.h"

namespace quantsearch {
namespace {

using testing::kSource;

// Tolerances.
constexpr double kRounding = 1e-5;  // of the float model's kernels
constexpr double kBins = 3e-3;      // a bin of each histogram
constexpr double kNoTolerance = 0;

/// The percentile of Quark is a smaller value for this tensor; see the golden test of calibrate.
const std::string kOnePlaceLower = "/l/l.2/sc/sc.0/Conv_output_0";

struct Case {
  std::string golden;
  std::string config;
  double tolerance;  // of the scale, relative
};

void PrintTo(const Case& golden_case, std::ostream* out) { *out << golden_case.golden; }

Model quantized_resnet8(const std::string& config) {
  const Model model = load_model(kSource / "tests/data/resnet8.onnx");
  const LoadedData data = open_data(kSource / "examples/fashion_mnist/calibration_100.npz", model);
  ThreadPool pool(2);
  Pipeline pipeline(model, data.source, pool, ByteBudget(std::int64_t{1} << 30), {});
  const Settings settings = settings_from(parse_yaml(config, "golden"));
  return pipeline.build(resolve(settings), {}).quantized->model;
}

/// Returns the node that quantizes `tensor`; a graph output has another name before its pair.
const Node* quantizer_of(const Graph& graph, const std::string& tensor) {
  for (const Node& node : graph.nodes) {
    if (node.op_type != "QuantizeLinear") continue;
    if (node.inputs[0] == tensor || node.inputs[0] == tensor + "_QuantizeLinear_Input")
      return &node;
  }
  return nullptr;
}

class GoldenActivations : public ::testing::TestWithParam<Case> {};

TEST_P(GoldenActivations, HaveTheScalesAndZeroPointsOfQuark) {
  const Model model = quantized_resnet8(GetParam().config);
  const Value golden =
      load_config_file(kSource / "tests/data/golden" / (GetParam().golden + ".json"));
  int compared = 0;
  for (const auto& [tensor, expected] : golden.find("q")->as_map()) {
    if (GetParam().tolerance == kBins && tensor == kOnePlaceLower) continue;
    SCOPED_TRACE(tensor);
    const Node* const node = quantizer_of(model.graph, tensor);
    ASSERT_NE(node, nullptr);
    const Tensor& scale = *model.graph.find_initializer(node->inputs[1]);
    const Tensor& zero_point = *model.graph.find_initializer(node->inputs[2]);
    EXPECT_EQ(to_string(zero_point.type()), expected.find("type")->as_string());
    EXPECT_EQ(to_int64s(zero_point)[0], expected.find("zp")->as_list()[0].as_int());
    const double peer = expected.find("scale")->as_list()[0].as_double();
    EXPECT_NEAR(static_cast<double>(scale.values<float>()[0]), peer, peer * GetParam().tolerance);
    ++compared;
  }
  EXPECT_GE(compared, 15);
}

std::string config_of(const std::string& method, const std::string& type, bool symmetric,
                      const std::string& more = "") {
  return "calibrate_method: " + method + "\nactivation_type: " + type +
         "\nweight_type: QInt8\nextra_options: {WeightSymmetric: true, ActivationSymmetric: " +
         (symmetric ? "true" : "false") + more + "}\n";
}

INSTANTIATE_TEST_SUITE_P(
    Resnet8, GoldenActivations,
    ::testing::Values(Case{"resnet8__minmax_s8", config_of("MinMax", "QInt8", true), kRounding},
                      Case{"resnet8__minmax_s8_pc",
                           config_of("MinMax", "QInt8", true) + "per_channel: true\n", kRounding},
                      Case{"resnet8__minmax_u8", config_of("MinMax", "QUInt8", false), kRounding},
                      Case{"resnet8__minmax_a16w8", config_of("MinMax", "QInt16", true), kRounding},
                      Case{"resnet8__pct_s8", config_of("Percentile", "QInt8", true), kBins},
                      Case{"resnet8__pct9999_s8",
                           config_of("Percentile", "QInt8", true, ", Percentile: 99.99"), kBins},
                      Case{"resnet8__pct_u8", config_of("Percentile", "QUInt8", false), kBins},
                      Case{"resnet8__lwp_s8", config_of("LayerWisePercentile", "QInt8", true),
                           kBins},
                      Case{"resnet8__minmse_p2_s8",
                           config_of("PowerOfTwoMethod.MinMSE", "QInt8", true), kNoTolerance}),
    [](const auto& info) { return info.param.golden; });

}  // namespace
}  // namespace quantsearch
