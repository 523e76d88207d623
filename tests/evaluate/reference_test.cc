#include <gtest/gtest.h>

#include <fstream>

#include "quantsearch/base/error.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/internal/base/files.h"
#include "support/budgets.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::kPlenty;

/// y = relu(x) and z = x + 1, both [batch, 4].
Model two_outputs() {
  testing::ModelBuilder builder;
  builder.input("x", {-1, 4});
  builder.output(builder.node("Relu", {"x"}, {}, "y"), {-1, 4});
  builder.weight("one", {1}, {1});
  builder.output(builder.node("Add", {"x", "one"}, {}, "z"), {-1, 4});
  return builder.build();
}

std::shared_ptr<const DataSource> random_samples(std::int64_t count) {
  return in_memory_data({{"x", testing::random_tensor({count, 4}, 11)}});
}

Reference make(std::int64_t batch, std::int64_t budget_bytes,
               const std::filesystem::path& folder = {},
               std::optional<Labels> labels = std::nullopt) {
  ThreadPool pool(2);
  const ByteBudget budget(budget_bytes);
  return {two_outputs(),
          random_samples(7),
          std::move(labels),
          pool,
          budget,
          {.batch = batch, .spill_folder = folder}};
}

TEST(Reference, HoldsTheFloatOutputsOfEveryRun) {
  const Reference reference = make(3, kPlenty);
  EXPECT_EQ(reference.batch(), 3);
  EXPECT_EQ(reference.output_names(), (std::vector<std::string>{"y_out", "z_out"}));
  const Tensor input = reference.data().read(6, 1).at("x");
  const Tensor output = reference.outputs(6).at("z_out");
  ASSERT_EQ(output.shape(), (Shape{1, 4}));
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(output.values<float>()[i], input.values<float>()[i] + 1);
  EXPECT_GT(reference.kept_bytes(), 0);
  EXPECT_EQ(reference.spilled_bytes(), 0);
}

TEST(Reference, RunsOnTheDevice) {
  ThreadPool pool(1);
  const Device unknown{.provider = "tpu"};
  EXPECT_THROW(Reference(two_outputs(), random_samples(1), std::nullopt, pool, ByteBudget(kPlenty),
                         {.device = unknown}),
               InvalidInput);
  EXPECT_EQ(make(1, kPlenty).device(), Device{});
}

TEST(Reference, SpilledOutputsEqualKeptOnes) {
  const TemporaryFolder folder;
  const Reference kept = make(2, kPlenty);
  const Reference spilled = make(2, 0, folder.path());
  EXPECT_EQ(spilled.kept_bytes(), 0);
  EXPECT_GT(spilled.spilled_bytes(), 0);
  for (std::int64_t first = 0; first < 7; first += 2)
    EXPECT_EQ(kept.outputs(first), spilled.outputs(first));
}

TEST(Reference, ReleasesItsBytes) {
  const ByteBudget budget(kPlenty);
  ThreadPool pool(1);
  {
    const Reference reference(two_outputs(), random_samples(5), std::nullopt, pool, budget,
                              {.batch = 1});
    EXPECT_EQ(budget.used(), reference.kept_bytes());
  }
  EXPECT_EQ(budget.used(), 0);
}

TEST(Reference, ChoosesABatchForModelsThatStack) {
  EXPECT_GT(make(0, kPlenty).batch(), 1);
  testing::ModelBuilder builder;
  builder.input("x", {1, 4});
  builder.output(builder.node("Relu", {"x"}), {1, 4});
  ThreadPool pool(1);
  EXPECT_EQ(Reference(builder.build(), random_samples(3), std::nullopt, pool, ByteBudget(kPlenty),
                      {.batch = 0})
                .batch(),
            1);
}

TEST(Reference, FloatScoresAreTheBestDistancesAndTheFloatAccuracy) {
  Labels labels;
  const auto data = random_samples(7);
  for (std::int64_t i = 0; i < 7; ++i) {
    const Tensor row = data->read(i, 1).at("x");
    const auto values = row.values<float>();
    labels.push_back(std::max_element(values.begin(), values.end()) - values.begin());
  }
  labels[0] = (labels[0] + 1) % 4;
  ThreadPool pool(1);
  const Reference reference(two_outputs(), data, labels, pool, ByteBudget(kPlenty),
                            {.batch = 2, .logits_output = "z_out"});
  const std::vector<Metric> metrics = {Metric::l2, Metric::cos, Metric::sqnr, Metric::top1,
                                       Metric::top5};
  const Scores scores = reference.float_scores(metrics);
  EXPECT_EQ(scores.metrics.at("L2"), 0);
  EXPECT_EQ(scores.metrics.at("cos"), 1);
  EXPECT_EQ(scores.metrics.at("sqnr"), 120);
  EXPECT_DOUBLE_EQ(scores.metrics.at("top1"), 6.0 / 7);
  EXPECT_EQ(scores.metrics.at("top5"), 1);
  EXPECT_EQ(scores.size_bytes, static_cast<std::int64_t>(serialize_model(two_outputs()).size()));
}

TEST(Reference, LabelsAreComparedWithTheFirstOutputThatCanHoldClasses) {
  // A classifier that gives the predicted class before the probabilities.
  testing::ModelBuilder builder;
  builder.input("x", {-1, 4});
  builder.output(builder.node("ArgMax", {"x"},
                              {{.name = "axis", .value = std::int64_t{1}},
                               {.name = "keepdims", .value = std::int64_t{0}}}),
                 {-1}, DataType::int64);
  const std::string classes = builder.node("Relu", {"x"});
  builder.output(classes, {-1, 4});
  ThreadPool pool(1);
  const Reference reference(builder.build(), random_samples(3), std::nullopt, pool,
                            ByteBudget(kPlenty), {});
  EXPECT_EQ(reference.logits_output(), classes);
}

template <typename Action>
std::string error_of(const Action& action) {
  try {
    action();
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "no error";
}

TEST(Reference, RefusesLabelsOfTheWrongLength) {
  EXPECT_EQ(error_of([] {
              (void)make(1, kPlenty, {}, Labels{1, 2});
            }),
            "reference: there are 2 labels, expected one for each of the 7 samples");
}

TEST(Reference, RefusesAFolderWithOtherFiles) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "mine") << "x";
  EXPECT_NE(error_of([&] {
              (void)make(1, kPlenty, folder.path());
            }).find("neither empty nor one of quantsearch"),
            std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "mine"));
}

/// The error of a reference for y = sqrt(x), with samples of two values.
std::string refusal_of_root(const std::vector<float>& values, const LogSink& log = {}) {
  testing::ModelBuilder builder;
  builder.input("x", {-1, 2});
  builder.output(builder.node("Sqrt", {"x"}, {}, "y"), {-1, 2});
  const Model model = builder.build();
  const auto data = in_memory_data(
      {{"x", Tensor::of<float>({static_cast<std::int64_t>(values.size()) / 2, 2}, values)}});
  ThreadPool pool(1);
  return error_of([&] {
    Reference(model, data, std::nullopt, pool, ByteBudget(kPlenty), {.batch = 1, .log = log});
  });
}

TEST(Reference, RefusesAFloatOutputWithoutAFiniteValue) {
  EXPECT_EQ(refusal_of_root({-1, -2, -3, -4}),
            "reference: output 'y_out' of the float model holds 4 NaN and 0 infinite values and no "
            "finite one in any sample, "
            "expected numbers to compare; check the data and the model");
}

TEST(Reference, LogsOnceThatPartOfAnOutputIsNotFinite) {
  std::vector<std::string> lines;
  EXPECT_EQ(refusal_of_root({-1, 2, -3, 4},
                            [&](LogLevel, std::string_view line) { lines.emplace_back(line); }),
            "no error");
  EXPECT_EQ(lines,
            std::vector<std::string>{
                "reference: output 'y_out' of the float model holds 2 NaN and 0 infinite values "
                "of 4; candidates are compared where it is finite"});
}

TEST(Reference, LeavesOutInputsInitializersAndOutputsThatAreSizedByTheData) {
  testing::ModelBuilder builder;
  builder.output(builder.input("x", {1, 4}), {1, 4});
  builder.output(builder.node("Relu", {"x"}, {}, "y"), {1, 4});
  builder.output(builder.weight("anchors", {2}, {1, 2}), {2});
  builder.output(builder.node("NonZero", {"y_out"}, {}, "found"), {2, -1}, DataType::int64);
  const Model model = builder.build();
  std::vector<std::string> lines;
  ThreadPool pool(1);
  const Reference reference(
      model, random_samples(3), std::nullopt, pool, ByteBudget(kPlenty),
      {.batch = 1, .log = [&](LogLevel, std::string_view line) { lines.emplace_back(line); }});
  EXPECT_EQ(reference.output_names(), std::vector<std::string>{"y_out"});
  EXPECT_EQ(
      lines,
      (std::vector<std::string>{
          "reference: output 'x' does not depend on what is quantized and is not compared",
          "reference: output 'anchors' does not depend on what is quantized and is not compared",
          "reference: output 'found_out' has a size that depends on computed values and is not "
          "compared"}));
}

TEST(Reference, ACancelledTokenStopsIt) {
  const CancellationToken token;
  token.cancel();
  ThreadPool pool(2);
  EXPECT_THROW(Reference(two_outputs(), random_samples(3), std::nullopt, pool, ByteBudget(kPlenty),
                         {.token = token}),
               Cancelled);
}

}  // namespace
}  // namespace quantsearch
