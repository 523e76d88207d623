#include "report/advice.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

/// A best trial with these activations, slower than float.
ResultsDocument slow_best(const std::string& type) {
  ResultsDocument document;
  document.objective = "L2";
  document.search_goal = SearchGoal::fastest;
  document.activation_type = type;
  TrialResult& best = document.trials.emplace_back();
  best.model.scores = {{"L2", 0.1}};
  best.model.latency_ms = 2;
  best.model.conversions = 7;
  best.model.latency_ratio = LatencyRatio{.ratio = 1.3, .low = 1.2, .high = 1.4, .float_ms = 1.5};
  best.is_candidate = true;
  document.best = 0;
  return document;
}

Value pattern(double float_ms, double integer_ms, const std::string& verdict) {
  return Value::Map{{"pattern", "Conv"},
                    {"float_ms", float_ms},
                    {"integer_ms", integer_ms},
                    {"verdict", verdict}};
}

std::string reason_of(const ResultsDocument& document) {
  return why_not_faster(document, document.trials.front());
}

TEST(WhyNotFaster, NamesKernelsThatAreSlower) {
  ResultsDocument document = slow_best("QUInt8");
  document.placement =
      Value::Map{{"patterns", Value::List{pattern(1, 1.5, "float"), pattern(0.5, 0.75, "integer"),
                                          pattern(9, 0, "no integer kernel")}}};
  EXPECT_EQ(reason_of(document),
            "; no candidate is faster, so the smallest was chosen: the operators that have integer "
            "kernels take 2.25 ms with them and 1.5 ms with float ones");
}

TEST(WhyNotFaster, NamesConversionsThatCostMoreThanKernelsSave) {
  ResultsDocument document = slow_best("QUInt8");
  document.placement = Value::Map{{"patterns", Value::List{pattern(1.5, 1.25, "integer")}}};
  EXPECT_EQ(
      reason_of(document),
      "; no candidate is faster, so the smallest was chosen: integer kernels save 0.25 of 1.5 "
      "ms, and 7 conversions between float and integers and what stays float cost more");
}

TEST(WhyNotFaster, ClaimsNoMoreThanWasMeasured) {
  EXPECT_EQ(reason_of(slow_best("QUInt8")),
            "; no candidate is faster, so the smallest was chosen: its integer kernels and its 7 "
            "conversions between float and integers take longer than the float kernels");
}

TEST(WhyNotFaster, IsForThoseWhoAskedForTheFastest) {
  ResultsDocument document = slow_best("QUInt8");
  document.search_goal = SearchGoal::most_accurate;
  EXPECT_EQ(reason_of(document), "");
}

std::string advice_of(const ResultsDocument& document) {
  return type_advice(document, document.trials.front());
}

TEST(TypeAdvice, NamesTheTypeThatHasIntegerKernels) {
  EXPECT_EQ(advice_of(slow_best("QInt16")),
            "; QInt16 activations run in float between conversions on ONNX Runtime's CPU provider, "
            "activation_type QUInt8 on integer kernels");
  EXPECT_EQ(advice_of(slow_best("QInt8")),
            "; QInt8 activations run partly in float on ONNX Runtime's CPU provider, "
            "activation_type QUInt8 on integer kernels");
}

TEST(TypeAdvice, IsNotForThoseWhoUseItAlready) {
  EXPECT_EQ(advice_of(slow_best("QUInt8")), "");
  ResultsDocument chosen = slow_best("QInt16");  // the base, which the trial overrides
  chosen.trials.front().config = {{"activation_type", "QUInt8"}};
  EXPECT_EQ(advice_of(chosen), "");
}

TEST(TypeAdvice, IsNotGivenWhenATrialWithThatTypeWasTimed) {
  ResultsDocument document = slow_best("QInt8");
  TrialResult& other = document.trials.emplace_back();
  other.config = {{"activation_type", "QUInt8"}};
  EXPECT_NE(advice_of(document), "");
  other.model.latency_ms = 3;
  EXPECT_EQ(advice_of(document), "");
}

TEST(TypeAdvice, SaysNothingOfTheCpusKernelsForAnotherDeviceOrAnNpu) {
  ResultsDocument elsewhere = slow_best("QInt8");
  elsewhere.device = "openvino:CPU";
  EXPECT_EQ(advice_of(elsewhere), "");
  ResultsDocument npu = slow_best("QInt8");
  npu.for_npu = true;
  EXPECT_EQ(advice_of(npu), "");
  EXPECT_EQ(summary_text(npu).find("kernel"), std::string::npos);
}

TEST(TypeAdvice, IsSilentAboutResultsThatDoNotNameTheType) {
  EXPECT_EQ(advice_of(slow_best("")), "");
}

TEST(TypeAdvice, IsReadBackFromAFile) {
  ResultsDocument document = slow_best("QInt16");
  document.device = "openvino:CPU";
  const ResultsDocument read = results_from(to_value(document));
  EXPECT_EQ(read.activation_type, "QInt16");
  EXPECT_EQ(read.device, "openvino:CPU");
}

TEST(ArithmeticSentence, EndsWithTheAdviceThatIsLeft) {
  ResultsDocument document = slow_best("QUInt8");
  document.trials.front().arithmetic = {.graph = {{"L2", 0.05}},
                                        .processor = {{"L2", 0.5}},
                                        .differ = true,
                                        .advice = "; use reduce_range"};
  const ResultsDocument read = results_from(to_value(document));
  EXPECT_NE(summary_text(read, 1000)
                .find("whose integer kernels saturate, and 0.05 as its graph says; "
                      "use reduce_range\n"),
            std::string::npos);
}

}  // namespace
}  // namespace quantsearch
