#include "evaluate/slices.h"

#include <gtest/gtest.h>

#include "quantsearch/evaluate.h"
#include "support/budgets.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::kPlenty;

OutputSlices slices_of(const Tensor& output, const ValueInfo& declared = {}) {
  SliceSurvey survey(declared);
  survey.add(sample_of(output, 0, 1));
  return survey.slices();
}

/// [1, rows, columns] with the value `scale[row]` everywhere in a row, with alternating sign.
Tensor rows_of(const std::vector<float>& scales, std::int64_t columns) {
  std::vector<float> values;
  for (const float scale : scales) {
    for (std::int64_t at = 0; at < columns; ++at) values.push_back(at % 2 == 0 ? scale : -scale);
  }
  return Tensor::of<float>({1, static_cast<std::int64_t>(scales.size()), columns}, values);
}

TEST(Slices, LieAlongTheAxisWhoseScalesDifferMost) {
  const OutputSlices slices = slices_of(rows_of({600, 300, 1, 0.5F}, 8));
  EXPECT_EQ(slices.axis, 1);
  EXPECT_EQ(slices.slice_of,
            (std::vector<int>{0, 0, 1, 1}));  // factors of two are similar, 300 is not
  EXPECT_EQ(slices.energies, (std::vector<double>{8 * (600.0 * 600 + 300 * 300), 8 * (1 + 0.25)}));
}

TEST(Slices, OfSimilarScaleAreTheWholeOutput) {
  const OutputSlices slices = slices_of(rows_of({4, 2, 1, 0.5F}, 8));
  EXPECT_FALSE(slices.axis.has_value());
  EXPECT_EQ(slices.energies, (std::vector<double>{8 * (16 + 4 + 1 + 0.25)}));
}

TEST(Slices, BelowAMillionthOfTheLargestScaleDoNotCount) {
  const OutputSlices slices = slices_of(rows_of({600, 1, 5e-4F, 0}, 8));
  EXPECT_EQ(slices.slice_of, (std::vector<int>{0, 1, -1, -1}));
  EXPECT_EQ(slices.energies.size(), 2U);
}

TEST(Slices, NeedEightValuesEach) {
  EXPECT_TRUE(slices_of(rows_of({600, 1}, 8)).axis.has_value());
  EXPECT_FALSE(slices_of(rows_of({600, 1}, 7)).axis.has_value());
}

TEST(Slices, DoNotLieAlongAnAxisOfOpenSize) {
  ValueInfo declared{.name = "y", .type = DataType::float32, .dimensions = {}, .extra = ""};
  declared.dimensions = {{{.size = 1, .symbol = ""},
                          {.size = std::nullopt, .symbol = "words"},
                          {.size = 8, .symbol = ""}}};
  EXPECT_FALSE(slices_of(rows_of({600, 1}, 8), declared).axis.has_value());
  // When a model leaves every size open, its declaration does not tell which axis holds positions.
  declared.dimensions = {{{.size = 1, .symbol = ""},
                          {.size = std::nullopt, .symbol = "a"},
                          {.size = std::nullopt, .symbol = "b"}}};
  EXPECT_EQ(slices_of(rows_of({600, 1}, 8), declared).axis, 1);
}

TEST(Slices, DoNotLieAlongAnAxisThatIsLongOrVaries) {
  std::vector<float> scales(1025, 1);
  scales[7] = 600;
  EXPECT_FALSE(slices_of(rows_of(scales, 8)).axis.has_value());
  const ValueInfo undeclared;
  const Tensor two = rows_of({600, 1}, 8);
  const Tensor three = rows_of({600, 1, 1}, 8);
  SliceSurvey survey(undeclared);
  survey.add(sample_of(two, 0, 1));
  survey.add(sample_of(three, 0, 1));
  EXPECT_FALSE(survey.slices().axis.has_value());
}

TEST(Slices, MergedSurveysAreOneSurvey) {
  const ValueInfo undeclared;
  const Tensor first = rows_of({600, 1}, 8);
  const Tensor second = rows_of({300, 2}, 8);
  SliceSurvey one(undeclared);
  one.add(sample_of(first, 0, 1));
  SliceSurvey other(undeclared);
  other.add(sample_of(second, 0, 1));
  one.merge(other);
  EXPECT_EQ(one.slices().energies,
            (std::vector<double>{8.0 * (600 * 600 + 300 * 300), 8.0 * (1 + 4)}));
}

TEST(WorstSlice, OfAPairIsTheLargestShareOfASlice) {
  const Tensor reference = rows_of({600, 1}, 8);
  const Tensor candidate = rows_of({540, 0}, 8);  // 60 of 600 is lost, and all of 1
  EXPECT_DOUBLE_EQ(compare(Metric::worst_slice, reference, candidate), 1);
  EXPECT_DOUBLE_EQ(compare(Metric::worst_slice, reference, rows_of({540, 1}, 8)), 0.01);
  EXPECT_DOUBLE_EQ(compare(Metric::worst_slice, reference, reference), 0);
}

TEST(WorstSlice, OfAnOutputOfZerosIsZero) {
  EXPECT_DOUBLE_EQ(compare(Metric::worst_slice, rows_of({0, 0}, 8), rows_of({1, 1}, 8)), 0);
}

/// y = x * scales, with the shape [batch, 2, 8].
Model head(float boxes, float scores) {
  testing::ModelBuilder builder;
  builder.input("x", {-1, 2, 8});
  builder.weight("scales", {1, 2, 1}, {boxes, scores});
  builder.output(builder.node("Mul", {"x", "scales"}, {}, "y"), {-1, 2, 8});
  return builder.build();
}

Reference head_reference(int threads, std::int64_t batch) {
  ThreadPool pool(threads);
  const auto data = in_memory_data({{"x", testing::random_tensor({37, 2, 8}, 5, 0.1F, 1)}});
  return {head(600, 1), data, std::nullopt, pool, ByteBudget(kPlenty), {.batch = batch}};
}

TEST(WorstSlice, ShowsNoiseThatTheWholeOutputHides) {
  const Reference reference = head_reference(2, 4);
  ASSERT_EQ(reference.slices().size(), 1U);
  EXPECT_EQ(reference.slices()[0].axis, 1);
  ThreadPool pool(2);
  const EvaluateOptions options{.metrics = {Metric::rel_l2, Metric::worst_slice}};
  const Scores scores = evaluate(head(600, 0), reference, pool, options);
  EXPECT_LT(scores.metrics.at("rel_l2"), 1e-4);
  EXPECT_DOUBLE_EQ(scores.metrics.at("worst_slice"), 1);
  EXPECT_DOUBLE_EQ(evaluate(head(600, 1), reference, pool, options).metrics.at("worst_slice"), 0);
}

TEST(WorstSlice, AsTheOnlyMetricIsTheSameForAnyThreadCount) {
  ThreadPool one(1);
  ThreadPool three(3);
  const EvaluateOptions options{.metrics = {Metric::worst_slice}};
  const double value =
      evaluate(head(599, 1.01F), head_reference(1, 4), one, options).metrics.at("worst_slice");
  EXPECT_NEAR(value, 1e-4, 1e-6);
  EXPECT_EQ(
      value,
      evaluate(head(599, 1.01F), head_reference(3, 4), three, options).metrics.at("worst_slice"));
}

TEST(WorstSlice, AsALimitEndsAnEvaluationThatCannotKeepIt) {
  const Reference reference = head_reference(1, 1);
  ThreadPool pool(1);
  const EvaluateOptions options{.metrics = {Metric::worst_slice},
                                .limits = {{Metric::worst_slice, 0.1}}};
  EXPECT_TRUE(evaluate(head(600, 0), reference, pool, options).gave_up);
  EXPECT_FALSE(evaluate(head(600, 1.01F), reference, pool, options).gave_up);
}

TEST(WorstSlice, LeavesOutOutputsOfWeightZero) {
  const Reference reference = head_reference(1, 1);
  ThreadPool pool(1);
  testing::ModelBuilder builder;
  builder.input("x", {-1, 2, 8});
  builder.weight("one", {1}, {1});
  builder.output(builder.node("Mul", {"x", "one"}, {}, "y"), {-1, 2, 8});
  builder.output(builder.node("Sub", {"x", "one"}, {}, "z"), {-1, 2, 8});
  Model noisy = builder.build();
  const auto data = in_memory_data({{"x", testing::random_tensor({9, 2, 8}, 5, 0.1F, 1)}});
  const Reference two(noisy, data, std::nullopt, pool, ByteBudget(kPlenty), {.batch = 1});
  Model candidate = noisy;
  candidate.graph.nodes[1].op_type = "Add";  // changes z only
  const EvaluateOptions all{.metrics = {Metric::worst_slice}};
  EvaluateOptions without = all;
  without.output_weights = {{"z_out", 0.0}};
  EXPECT_GT(evaluate(candidate, two, pool, all).metrics.at("worst_slice"), 0.1);
  EXPECT_DOUBLE_EQ(evaluate(candidate, two, pool, without).metrics.at("worst_slice"), 0);
}

}  // namespace
}  // namespace quantsearch
