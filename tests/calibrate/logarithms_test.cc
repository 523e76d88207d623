// Tests the tensors that a logarithm is computed from, with medians computed by hand. The values
// that the Log reads have the median 0.04 and the largest value 4; the ratio is 1/100, within a
// quarter of a bin of 1/256.

#include <gtest/gtest.h>

#include <cmath>

#include "calibrate/made_statistics.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;
using testing::statistics_of;

const std::vector<float> kSpread = {0.04F, 0.04F, 0.04F, 4.0F};
constexpr double kMedian = 0.01;
constexpr double kTolerance = 0.001;

Facts facts_for(const ModelBuilder& builder, const std::vector<float>& read_by_log = kSpread) {
  return facts_of({.samples = 1, .tensors = {{"read_out", statistics_of(read_by_log)}}},
                  builder.build_unchecked().graph);
}

double median_of(const Facts& facts, const std::string& tensor) {
  const auto fact = facts.find(tensor);
  return fact == facts.end() ? -1 : fact->second.median_for_log.value_or(-1);
}

/// x -> Conv -> its square -> Add of a small constant ("read") -> Log.
ModelBuilder log_power() {
  ModelBuilder builder;
  builder.weight("w", {1, 1, 1, 1}, {1});
  builder.weight("floor", {}, {1e-6F});
  const std::string conv =
      builder.node("Conv", {builder.input("x", {1, 1, 2, 2}), "w"}, {}, "conv");
  const std::string power = builder.node("Mul", {conv, conv}, {}, "power");
  builder.node("Log", {builder.node("Add", {power, "floor"}, {}, "read")}, {}, "log");
  return builder;
}

TEST(Logarithms, TheMedianOfASignalIsTheRootOfThatOfItsPower) {
  const Facts facts = facts_for(log_power());
  EXPECT_NEAR(median_of(facts, "read_out"), kMedian, kTolerance);
  EXPECT_NEAR(median_of(facts, "power_out"), kMedian, kTolerance);
  EXPECT_NEAR(median_of(facts, "conv_out"), std::sqrt(kMedian), 0.005);
  EXPECT_NEAR(median_of(facts, "x"), std::sqrt(kMedian), 0.005);
  EXPECT_FALSE(facts.contains("log_out"));
  EXPECT_FALSE(facts.contains("w"));
}

TEST(Logarithms, TensorsOfALogStillHaveARange) {
  const Facts facts = facts_for(log_power());
  EXPECT_FALSE(facts.at("conv_out").has_no_range());
  EXPECT_TRUE((TensorFacts{.mask = -1e4F}).has_no_range());
}

TEST(Logarithms, PowAndSqrtApplyTheirExponentToTheMedian) {
  ModelBuilder builder;
  builder.weight("four", {}, {4});
  const std::string fourth = builder.node("Pow", {builder.input("x", {4}), "four"}, {}, "fourth");
  builder.node("Log", {builder.node("Sqrt", {fourth}, {}, "read")});
  const Facts facts = facts_for(builder);
  EXPECT_NEAR(median_of(facts, "fourth_out"), kMedian * kMedian, 0.2 * kMedian * kMedian);
  EXPECT_NEAR(median_of(facts, "x"), std::sqrt(kMedian), 0.005);
}

TEST(Logarithms, AComputedExponentEndsTheWalk) {
  ModelBuilder builder;
  const std::string power =
      builder.node("Pow", {builder.input("x", {4}), builder.input("exponent", {})}, {}, "read");
  builder.node("Log", {power});
  const Facts facts = facts_for(builder);
  EXPECT_TRUE(facts.contains("read_out"));
  EXPECT_FALSE(facts.contains("x"));
}

TEST(Logarithms, AnExpEndsTheWalk) {
  ModelBuilder builder;  // softplus: log(1 + exp(x))
  builder.weight("one", {}, {1});
  const std::string grown = builder.node("Exp", {builder.input("x", {4})}, {}, "grown");
  builder.node("Log", {builder.node("Add", {grown, "one"}, {}, "read")});
  const Facts facts = facts_for(builder);
  EXPECT_TRUE(facts.contains("grown_out"));
  EXPECT_FALSE(facts.contains("x"));
}

TEST(Logarithms, AReluEndsTheWalkAfterItsInput) {
  ModelBuilder builder;
  builder.weight("w", {1, 1, 1, 1}, {1});
  const std::string conv =
      builder.node("Conv", {builder.input("x", {1, 1, 2, 2}), "w"}, {}, "conv");
  builder.node("Log", {builder.node("Relu", {conv}, {}, "read")});
  const Facts facts = facts_for(builder);
  EXPECT_NEAR(median_of(facts, "conv_out"), kMedian, kTolerance);
  EXPECT_FALSE(facts.contains("x"));
}

TEST(Logarithms, ADivisorIsNotFollowed) {
  ModelBuilder builder;
  builder.node(
      "Log", {builder.node("Div", {builder.input("x", {4}), builder.input("y", {4})}, {}, "read")});
  const Facts facts = facts_for(builder);
  EXPECT_TRUE(facts.contains("x"));
  EXPECT_FALSE(facts.contains("y"));
}

TEST(Logarithms, OfSeveralMediansTheSmallestCounts) {
  ModelBuilder builder;
  const std::string x = builder.input("x", {4});
  builder.node("Log", {builder.node("Identity", {x}, {}, "read")});
  builder.node("Log", {builder.node("Identity", {x}, {}, "even")});
  const Facts facts = facts_of({.samples = 1,
                                .tensors = {{"read_out", statistics_of(kSpread)},
                                            {"even_out", statistics_of({2, 2, 2, 4})}}},
                               builder.build_unchecked().graph);
  EXPECT_NEAR(median_of(facts, "x"), kMedian, kTolerance);
  EXPECT_NEAR(median_of(facts, "even_out"), 0.5, kTolerance);
}

TEST(Logarithms, AreFollowedIntoAndOutOfTheBranchesOfAnIf) {
  ModelBuilder branch;
  branch.output(branch.node("Abs", {"x"}, {}, "size"), {4});
  const auto body = std::make_shared<const Graph>(branch.build_unchecked().graph);
  ModelBuilder builder;
  builder.input("x", {4});
  builder.input("choice", {1}, DataType::boolean);
  builder.node("Log", {builder.node("If", {"choice"},
                                    {{.name = "then_branch", .value = body},
                                     {.name = "else_branch", .value = body}},
                                    "read")});
  const Facts facts = facts_for(builder);
  EXPECT_NEAR(median_of(facts, "size_out"), kMedian, kTolerance);
  EXPECT_NEAR(median_of(facts, "x"), kMedian, kTolerance);
}

TEST(Logarithms, OfZerosAloneGiveNoFacts) { EXPECT_TRUE(facts_for(log_power(), {0, 0}).empty()); }

}  // namespace
}  // namespace quantsearch
