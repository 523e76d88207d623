// What a search says of the operators of its best model.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "autosearch/search_setting.h"
#include "quantsearch/internal/base/files.h"
#include "support/messages.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;
using Setting = testing::SearchSetting;

constexpr const char* kTwoPoints = R"(
search_space: {calibrate_method: [MinMax, Percentile]}
search_metric_tolerance: 100
)";

const Value& first_of(const Value& layers, const std::string& op_type) {
  return *std::ranges::find_if(layers.as_list(), [&](const Value& layer) {
    return layer.find("op_type")->as_string() == op_type;
  });
}

double number_at(const Value& layer, const char* group, const char* key) {
  return layer.find(group)->find(key)->as_double();
}

std::int64_t sum(const Value& counts) {
  std::int64_t total = 0;
  for (const Value& count : counts.as_list()) total += count.as_int();
  return total;
}

TEST(LayerReport, DescribesEveryOperatorOfTheBestModel) {
  const TemporaryFolder folder;
  const Value layers = Setting(kTwoPoints).run(folder.path()).document.layers;
  ASSERT_TRUE(layers.is_list());
  const Value& conv = first_of(layers, "Conv");
  EXPECT_EQ(conv.find("quantized")->as_bool(), true);
  EXPECT_EQ(conv.find("reason")->as_string(), "");
  EXPECT_EQ(conv.find("input_type")->as_string(), "uint8");
  EXPECT_EQ(conv.find("weight_type")->as_string(), "int8");
  EXPECT_GT(conv.find("float_us")->as_double(), 0);
  EXPECT_GT(conv.find("quantized_us")->as_double(), 0);
}

TEST(LayerReport, AnOperatorNamesThoseThatItReadsFrom) {
  const TemporaryFolder folder;
  const Value layers = Setting(kTwoPoints).run(folder.path()).document.layers;
  const auto& rows = layers.as_list();
  EXPECT_EQ(to_json(*rows.front().find("reads")), "[]");
  for (std::size_t row = 1; row < rows.size(); ++row) {
    for (const Value& source : rows[row].find("reads")->as_list())
      EXPECT_LT(source.as_int(), static_cast<std::int64_t>(row));
  }
}

/// Relu of 32 images of 28 x 28: the values are not negative, and uint8 starts at 0.
TEST(LayerReport, HasTheValuesOfATensorAndTheRangeThatItsIntegersHold) {
  const TemporaryFolder folder;
  const Value layers = Setting(kTwoPoints).run(folder.path()).document.layers;
  const Value& relu = first_of(layers, "Relu");
  EXPECT_EQ(relu.find("output")->find("type")->as_string(), "uint8");
  EXPECT_EQ(number_at(relu, "output", "low"), 0);
  const double most = number_at(relu, "observed", "max");
  EXPECT_EQ(number_at(relu, "observed", "min"), 0);
  EXPECT_LE(number_at(relu, "histogram", "low"), 0);
  EXPECT_GE(number_at(relu, "histogram", "high"), most);
  EXPECT_GT(number_at(relu, "output", "high"), 0);
  EXPECT_LE(number_at(relu, "output", "high"), 1.001 * most);
  const Value& counts = *relu.find("histogram")->find("counts");
  EXPECT_LE(counts.as_list().size(), 48U);
  EXPECT_EQ(sum(counts) % (32 * 28 * 28), 0) << sum(counts);
}

Attribute branch(const std::string& name, const std::string& input, std::uint64_t seed) {
  testing::ModelBuilder body;
  body.random_weight(name + "_weight", {6, 4}, 1, seed);
  body.output(body.node("Relu", {body.node("MatMul", {input, name + "_weight"})}), {-1, 4});
  return {.name = name, .value = std::make_shared<const Graph>(body.build_unchecked().graph)};
}

/// Rows of bodies come behind those of the main graph, and read from it.
TEST(LayerReport, DescribesTheOperatorsInsideBodies) {
  testing::ModelBuilder builder;
  builder.input("x", {-1, 6});
  builder.input("choice", {1}, DataType::boolean);
  const std::string sum = builder.node("Add", {"x", "x"});
  builder.output(builder.node("If", {"choice"},
                              {branch("then_branch", sum, 1), branch("else_branch", sum, 2)}),
                 {-1, 4});
  Setting setting(kTwoPoints);
  Tensor choices(DataType::boolean, {8});
  choices.mutable_values<bool>()[0] = true;
  setting.input.model = builder.build();
  setting.input.calibration =
      in_memory_data({{"x", testing::random_tensor({8, 6}, 3)}, {"choice", choices}});
  setting.input.evaluation = setting.input.calibration;
  setting.input.labels.reset();
  const TemporaryFolder folder;
  const Value layers = setting.run(folder.path()).document.layers;
  const auto& rows = layers.as_list();
  ASSERT_EQ(rows.size(), 6U);  // Add, If, and MatMul with Relu in both branches
  for (const std::size_t row : {std::size_t{2}, std::size_t{4}}) {
    EXPECT_EQ(rows[row].find("op_type")->as_string(), "MatMul");
    EXPECT_EQ(rows[row].find("weight_type")->as_string(), "int8");
    EXPECT_EQ(to_json(*rows[row].find("reads")), "[0]");
    EXPECT_EQ(rows[row + 1].find("reads")->as_list().front().as_int(),
              static_cast<std::int64_t>(row));
  }
}

TEST(LayerReport, IsLeftOutWhenTheUserHasCancelledAndWithoutLatencies) {
  const TemporaryFolder folder;
  Setting setting(kTwoPoints);
  const CancellationToken token;
  setting.adjust = [&](SearchEnvironment& environment) {
    environment.token = token;
    environment.on_trial = [&](const Trial&) { token.cancel(); };
  };
  EXPECT_EQ(setting.run(folder.path()).document.layers.find("left_out")->as_string(),
            "the search was cancelled before its operators were described");
  Setting untimed(std::string(kTwoPoints) + "search_latency: false\n");
  const TemporaryFolder other;
  const Value layers = untimed.run(other.path()).document.layers;
  ASSERT_TRUE(layers.is_list());
  EXPECT_EQ(first_of(layers, "Conv").find("float_us"), nullptr);
}

TEST(LayerReport, HasNoTimesForAnotherProcessor) {
  const TemporaryFolder folder;
  Setting setting("quantization_config: XINT8\nsearch_space: {include_cle: [false]}\n");
  const Value layers = setting.run(folder.path()).document.layers;
  ASSERT_TRUE(layers.is_list());
  EXPECT_EQ(first_of(layers, "Conv").find("float_us"), nullptr);
}

TEST(BaseTrial, HasTheSettingsThatTheSearchStartedFrom) {
  const TemporaryFolder folder;
  const SearchResult result = Setting(R"(
quantization_config: {calibrate_method: CalibrationMethod.MinMax, per_channel: true}
search_space: {calibrate_method: [Percentile, MinMax], per_channel: [false, true]}
)")
                                  .run(folder.path());
  ASSERT_TRUE(result.document.base_trial);
  const TrialResult& base =
      *std::ranges::find(result.document.trials, *result.document.base_trial, &TrialResult::number);
  EXPECT_EQ(base.config.at("calibrate_method"), Value("CalibrationMethod.MinMax"));
  EXPECT_EQ(base.config.at("per_channel"), Value(true));
  EXPECT_EQ(result.document.base_note, "");
}

TEST(BaseTrial, IsAbsentWhenNoTrialHadThem) {
  const TemporaryFolder folder;
  const SearchResult result = Setting(R"(
quantization_config: {calibrate_method: CalibrationMethod.MinMax}
search_space: {calibrate_method: [Percentile, Entropy]}
)")
                                  .run(folder.path());
  EXPECT_FALSE(result.document.base_trial);
  EXPECT_EQ(result.document.base_note,
            "no trial had the settings that the search started from, so nothing is compared with "
            "them: they are not in the search space, or the search ended before them");
}

TEST(RunningSearch, SaysWhatIsKnownUntilItEnds) {
  const TemporaryFolder folder;
  Setting setting(kTwoPoints);
  setting.adjust = [&](SearchEnvironment& environment) {
    environment.rebuild_command = "quantsearch quantize model.onnx";
    environment.on_trial = [&](const Trial&) {
      const ResultsDocument head = results_from(load_config_file(folder.path() / "running.json"));
      EXPECT_EQ(head.stop_reason, kRunning);
      EXPECT_EQ(head.objective, "L2");
      EXPECT_EQ(head.rebuild_command, "quantsearch quantize model.onnx");
      EXPECT_GT(head.float_model.size_bytes, 0);
      EXPECT_TRUE(head.trials.empty());
    };
  };
  const SearchResult result = setting.run(folder.path());
  EXPECT_EQ(result.study.trials.size(), 2U);
  EXPECT_FALSE(fs::exists(folder.path() / "running.json"));
  EXPECT_NE(result.document.trials.front().memory_bytes.value_or(0), 0);
  EXPECT_LE(result.document.trials.front().ended_at.value(),
            result.document.trials.back().ended_at.value());
}

}  // namespace
}  // namespace quantsearch
