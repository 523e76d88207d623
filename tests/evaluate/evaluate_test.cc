#include "quantsearch/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "evaluate/sample_metrics.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"
#include "support/budgets.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::kPlenty;

class ArraySource final : public DataSource {
 public:
  ArraySource(Tensor array, std::string name) : array_(std::move(array)), name_(std::move(name)) {}
  [[nodiscard]] std::int64_t size() const override { return array_.shape()[0]; }
  [[nodiscard]] std::int64_t largest_batch() const override { return size(); }
  [[nodiscard]] Batch read(std::int64_t first, std::int64_t count) const override {
    if (on_read) on_read(first);
    return {{name_, array_.rows(first, count)}};
  }
  [[nodiscard]] Key content_key() const override { return {}; }
  std::function<void(std::int64_t)> on_read;

 private:
  Tensor array_;
  std::string name_;
};

std::shared_ptr<const DataSource> samples(const Shape& shape, const std::string& name = "x") {
  return std::make_shared<ArraySource>(testing::random_tensor(shape, 21, 0.1F, 1), name);
}

/// y = x * scale, z = x + shift.
Model scaled(float scale, float shift, std::int64_t batch = -1) {
  testing::ModelBuilder builder;
  builder.input("x", {batch, 4});
  builder.weight("scale", {1}, {scale});
  builder.weight("shift", {1}, {shift});
  builder.output(builder.node("Mul", {"x", "scale"}, {}, "y"), {batch, 4});
  builder.output(builder.node("Add", {"x", "shift"}, {}, "z"), {batch, 4});
  return builder.build();
}

std::vector<Metric> distances() {
  std::vector<Metric> metrics;
  for (const MetricInfo& info : all_metrics()) {
    if (is_distance(info.metric)) metrics.push_back(info.metric);
  }
  return metrics;
}

Reference reference_of(const Model& model, std::shared_ptr<const DataSource> data,
                       std::int64_t batch = 1) {
  ThreadPool pool(1);
  return {model, std::move(data), std::nullopt, pool, ByteBudget(kPlenty), {.batch = batch}};
}

std::string error_of(const Model& candidate, const Reference& reference,
                     const EvaluateOptions& options = {}) {
  ThreadPool pool(2);
  try {
    (void)evaluate(candidate, reference, pool, options);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "no error";
}

// x is {2, 0, 0, 0} and then all zero, so y is too. The candidate adds 1 to z only, or doubles y
// only.
TEST(Evaluate, RelL2DividesTheNoiseOfAllSamplesByTheirSignal) {
  const auto data =
      std::make_shared<ArraySource>(Tensor::of<float>({2, 4}, {2, 0, 0, 0, 0, 0, 0, 0}), "x");
  const Reference reference = reference_of(scaled(1, 0), data);
  ThreadPool pool(2);
  const EvaluateOptions options{.metrics = {Metric::rel_l2}};
  // z has the noise 4 + 4 over the signal 4 + 0, and y has none. The second sample alone would have
  // no signal to divide by.
  EXPECT_DOUBLE_EQ(evaluate(scaled(1, 1), reference, pool, options).metrics.at("rel_l2"), 0.5 * 2);
  // y has the noise 4 over the signal 4; the sample without signal has no noise either.
  EXPECT_DOUBLE_EQ(evaluate(scaled(2, 0), reference, pool, options).metrics.at("rel_l2"), 0.5 * 1);
}

TEST(Evaluate, RelL2OfAnAllZeroOutputIsTheBestOrTheWorstValue) {
  const auto data = std::make_shared<ArraySource>(Tensor(DataType::float32, {2, 4}), "x");
  const Reference reference = reference_of(scaled(1, 0), data);
  ThreadPool pool(2);
  const EvaluateOptions options{.metrics = {Metric::rel_l2}, .output_weights = {{"y_out", 0}}};
  EXPECT_EQ(evaluate(scaled(1, 0), reference, pool, options).metrics.at("rel_l2"), 0);
  EXPECT_EQ(evaluate(scaled(1, 1), reference, pool, options).metrics.at("rel_l2"), 1e6);
}

TEST(Evaluate, AveragesOverOutputsAndSamplesByWeight) {
  const Reference reference = reference_of(scaled(1, 0), samples({5, 4}));
  ThreadPool pool(2);
  // Only z differs, by exactly 0.5.
  EvaluateOptions options{.metrics = {Metric::l1}};
  EXPECT_NEAR(evaluate(scaled(1, 0.5F), reference, pool, options).metrics.at("L1"), 0.25, 1e-7);
  options.output_weights = {{"y_out", 3}};
  EXPECT_NEAR(evaluate(scaled(1, 0.5F), reference, pool, options).metrics.at("L1"), 0.125, 1e-7);
  options.output_weights = {{"y_out", 0}};
  EXPECT_NEAR(evaluate(scaled(1, 0.5F), reference, pool, options).metrics.at("L1"), 0.5, 1e-7);
}

TEST(Evaluate, EqualsTheDefinitionsSampleBySample) {
  const auto data = samples({5, 4});
  const Reference reference = reference_of(scaled(1, 0), data, 2);
  ThreadPool pool(1);
  const Scores scores = evaluate(scaled(1.25F, 0.5F), reference, pool, {.metrics = distances()});
  const auto session = open_session(scaled(1.25F, 0.5F));
  const auto float_session = open_session(scaled(1, 0));
  const Batch all_expected = float_session->run(data->read(0, 5));
  const Batch all_got = session->run(data->read(0, 5));
  const auto relative = [&](const char* name) {
    return compare(Metric::rel_l2, all_expected.at(name), all_got.at(name));
  };
  EXPECT_NEAR(scores.metrics.at("rel_l2"), 0.5 * (relative("y_out") + relative("z_out")), 1e-9);
  for (const Metric metric : distances()) {
    // These metrics are computed over all samples at once.
    if (metric == Metric::rel_l2 || metric == Metric::worst_slice) continue;
    double sum = 0;
    for (std::int64_t sample = 0; sample < 5; ++sample) {
      const Batch expected = float_session->run(data->read(sample, 1));
      const Batch got = session->run(data->read(sample, 1));
      for (const char* name : {"y_out", "z_out"})
        sum += 0.5 * compare(metric, expected.at(name), got.at(name));
    }
    EXPECT_NEAR(scores.metrics.at(metric_info(metric).name), sum / 5, 1e-9)
        << metric_info(metric).name;
  }
}

TEST(Evaluate, TheFloatModelItselfHasTheBestScores) {
  const Reference reference = reference_of(scaled(2, 1), samples({5, 4}), 2);
  ThreadPool pool(2);
  const Scores scores = evaluate(scaled(2, 1), reference, pool, {.metrics = distances()});
  for (const auto& [name, value] : reference.float_scores(distances()).metrics)
    EXPECT_NEAR(scores.metrics.at(name), value, 1e-12);
  EXPECT_EQ(scores.size_bytes, static_cast<std::int64_t>(serialize_model(scaled(2, 1)).size()));
}

TEST(Evaluate, ScoresOfARealModelDoNotDependOnThreadsBatchOrSpilling) {
  const Model model =
      load_model(std::filesystem::path(QUANTSEARCH_SOURCE_DIR) / "tests/data/resnet8.onnx");
  Model candidate = model;
  for (Initializer& initializer : candidate.graph.initializers) {
    if (initializer.tensor->type() != DataType::float32) continue;
    Tensor changed = *initializer.tensor;
    for (float& value : changed.mutable_values<float>()) value *= 1.01F;
    initializer.tensor = std::make_shared<const Tensor>(changed);
  }
  const auto data = samples({21, 1, 28, 28}, "input");
  const Labels labels(21, 3);
  std::vector<Metric> metrics = distances();
  metrics.push_back(Metric::top1);
  metrics.push_back(Metric::top5);
  const auto score = [&](int threads, std::int64_t batch, std::int64_t budget) {
    ThreadPool pool(threads);
    const Reference reference(model, data, labels, pool, ByteBudget(budget), {.batch = batch});
    return evaluate(candidate, reference, pool, {.metrics = metrics}).metrics;
  };
  const auto expected = score(1, 4, kPlenty);
  EXPECT_GT(expected.at("L2"), 0);
  EXPECT_EQ(score(2, 4, kPlenty), expected);
  EXPECT_EQ(score(2, 4, 0), expected);
  // The runtime's kernels may round differently for a stack of samples.
  for (const auto& [name, value] : score(2, 1, kPlenty)) {
    EXPECT_NEAR(value, expected.at(name), 1e-4 * (1 + std::abs(value))) << name;
  }
}

TEST(Evaluate, ACandidateThatCannotStackIsComparedSampleBySample) {
  const Reference reference = reference_of(scaled(1, 0), samples({5, 4}), 3);
  ThreadPool pool(2);
  EXPECT_NEAR(
      evaluate(scaled(1, 0.5F, 1), reference, pool, {.metrics = {Metric::l1}}).metrics.at("L1"),
      0.25, 1e-7);
}

TEST(Evaluate, IntegerOutputsAreNumbers) {
  const auto classes = [](std::int64_t first) {
    testing::ModelBuilder builder;
    builder.input("x", {-1, 4});
    builder.constant("order", Tensor::of<std::int64_t>({1}, {first}));
    builder.output(
        builder.node(
            "Add",
            {builder.node("ArgMax", {"x"}, {{.name = "axis", .value = std::int64_t{1}}}), "order"},
            {}, "c"),
        {-1, 1}, DataType::int64);
    return builder.build();
  };
  const Reference reference = reference_of(classes(0), samples({5, 4}), 2);
  ThreadPool pool(1);
  EXPECT_EQ(evaluate(classes(2), reference, pool, {.metrics = {Metric::l1}}).metrics.at("L1"), 2);
}

/// The scores, and the samples whose outputs the watcher saw before the evaluation ended.
struct Watched {
  Scores scores;
  std::int64_t seen = 0;
};
Watched watched(const std::map<Metric, double>& limits, std::int64_t end_after = 1000) {
  // z differs by 0.5 in all five samples of four values and y does not, so the L1 of each sample is
  // 0.25.
  const Reference reference = reference_of(scaled(1, 0), samples({5, 4}));
  ThreadPool pool(1);
  Watched result;
  const OutputWatcher watch = [&](std::int64_t first, std::int64_t count, const Batch& outputs) {
    EXPECT_EQ(first, result.seen);
    EXPECT_EQ(outputs.at("z_out").shape(), (Shape{1, 4}));
    result.seen += count;
    return result.seen < end_after;
  };
  result.scores = evaluate(
      scaled(1, 0.5F), reference, pool,
      {.metrics = {Metric::l1, Metric::cos, Metric::rel_l2}, .limits = limits, .watch = watch});
  return result;
}

TEST(Evaluate, LimitsThatHoldChangeNothing) {
  const auto plain = watched({}).scores.metrics;
  const Watched limited = watched({{Metric::l1, plain.at("L1")},
                                   {Metric::rel_l2, plain.at("rel_l2")},
                                   {Metric::cos, plain.at("cos")}});
  EXPECT_FALSE(limited.scores.gave_up);
  EXPECT_EQ(limited.scores.metrics, plain);
  EXPECT_EQ(limited.seen, 5);
}

TEST(Evaluate, EndsAsSoonAsALimitCannotHold) {
  // After n samples the mean over all five is at least 0.25 n / 5.
  const Watched early = watched({{Metric::l1, 0.11}});
  EXPECT_TRUE(early.scores.gave_up);
  EXPECT_TRUE(early.scores.metrics.empty());
  EXPECT_EQ(early.seen, 3);
  EXPECT_EQ(watched({{Metric::l1, 0.2499}}).seen, 5);
  EXPECT_TRUE(watched({{Metric::l1, 0.2499}}).scores.gave_up);
}

TEST(Evaluate, ACosineLimitHoldsWhileTheOtherSamplesMightBePerfect) {
  const double cosine = watched({}).scores.metrics.at("cos");
  const Watched early = watched({{Metric::cos, 1 - 0.1 * (1 - cosine)}});
  EXPECT_TRUE(early.scores.gave_up);
  EXPECT_LE(early.seen, 2);
  EXPECT_FALSE(watched({{Metric::cos, cosine - 1e-6}}).scores.gave_up);
}

TEST(Evaluate, ARelL2LimitUsesTheNoiseSoFarOverTheWholeSignal) {
  // y has no noise; z has 0.5^2 * 4 in each sample over the energy of all.
  const double whole = watched({}).scores.metrics.at("rel_l2");
  EXPECT_EQ(watched({{Metric::rel_l2, 0.5 * whole}}).seen, 3);
  EXPECT_EQ(watched({{Metric::rel_l2, 0.7 * whole}}).seen, 4);
}

TEST(Evaluate, AWatcherMayEndIt) {
  const Watched early = watched({}, 2);
  EXPECT_TRUE(early.scores.gave_up);
  EXPECT_EQ(early.seen, 2);
  EXPECT_GT(early.scores.size_bytes, 0);
}

TEST(Evaluate, RefusesOptionsAndModelsThatDoNotFit) {
  const Reference reference = reference_of(scaled(1, 0), samples({5, 4}));
  EXPECT_EQ(error_of(scaled(1, 0), reference, {.output_weights = {{"y_ou", 1}}}),
            "evaluate: output weights: unknown output 'y_ou'; nearest known: 'y_out', 'z_out'");
  EXPECT_EQ(error_of(scaled(1, 0), reference, {.output_weights = {{"y_out", -1}}}),
            "evaluate: the weight of output 'y_out' is -1, expected 0 or more");
  EXPECT_EQ(error_of(scaled(1, 0), reference, {.output_weights = {{"y_out", 0}, {"z_out", 0}}}),
            "evaluate: the weights of all outputs are 0, expected one above 0");
  EXPECT_EQ(
      error_of(scaled(1, 0), reference, {.metrics = {Metric::top1}}),
      "evaluate: metric 'top1' needs labels and the data have none; give labels or another metric");
  EXPECT_EQ(
      error_of(scaled(1, 0), reference, {.metrics = {Metric::l1}, .limits = {{Metric::cos, 0.9}}}),
      "evaluate: a limit is given for 'cos', expected one of the distances that are measured");
  Model one_output = scaled(1, 0);
  one_output.graph.outputs.pop_back();
  EXPECT_EQ(error_of(one_output, reference),
            "evaluate: the candidate has the outputs 'y_out', expected those of the float model, "
            "'y_out', 'z_out'");
}

TEST(Evaluate, AnOutputOfAnotherShapeIsNamedWithBothShapes) {
  const auto transposed = [](std::vector<std::int64_t> shape) {
    testing::ModelBuilder builder;
    builder.input("x", {1, 4});
    builder.constant("shape", Tensor::of<std::int64_t>({2}, shape));
    builder.output(builder.node("Reshape", {"x", "shape"}, {}, "r"), shape);
    return builder.build();
  };
  const Reference reference = reference_of(transposed({2, 2}), samples({3, 4}));
  EXPECT_EQ(error_of(transposed({1, 4}), reference),
            "evaluate: output 'r_out' of the candidate has shape [1, 4] for sample 0, expected "
            "that of the float model, [2, 2]");
}

TEST(Evaluate, ACandidateThatGivesNaNIsAnErrorWithOutputAndSample) {
  const auto unary = [](const char* op) {
    testing::ModelBuilder builder;
    builder.input("x", {-1, 4});
    builder.weight("shift", {1}, {-0.5F});
    builder.output(builder.node(op, {builder.node("Add", {"x", "shift"})}, {}, "u"), {-1, 4});
    return builder.build();
  };
  Tensor inputs = testing::random_tensor({5, 4}, 21, 0.6F, 1);
  inputs.mutable_values<float>()[13] = 0.25F;
  const Reference reference =
      reference_of(unary("Relu"), std::make_shared<ArraySource>(inputs, "x"), 2);
  EXPECT_EQ(error_of(unary("Sqrt"), reference),
            "evaluate: output 'u_out' of the candidate holds NaN or infinity for sample 3, "
            "expected finite values");
}

/// y = sqrt(x) * factor.
Model scaled_root(float factor) {
  testing::ModelBuilder builder;
  const std::string root = builder.node("Sqrt", {builder.input("x", {-1, 4})});
  builder.output(builder.node("Mul", {root, builder.weight("factor", {1}, {factor})}, {}, "y"),
                 {-1, 4});
  return builder.build();
}

TEST(Evaluate, ComparesWhereTheFloatOutputIsFinite) {
  const auto data =
      std::make_shared<ArraySource>(Tensor::of<float>({2, 4}, {1, -1, 4, 9, -1, -1, -1, -1}), "x");
  const Reference reference = reference_of(scaled_root(1), data);
  ThreadPool pool(1);
  const Scores scores = evaluate(
      scaled_root(1.5F), reference, pool,
      {.metrics = {Metric::l1, Metric::l2, Metric::rel_l2}, .limits = {{Metric::rel_l2, 1}}});
  // The first sample has the differences .5, 1, 1.5 to 1, 2, 3; the second has nothing to compare.
  EXPECT_DOUBLE_EQ(scores.metrics.at("L1"), 1.0 / 2);
  EXPECT_DOUBLE_EQ(scores.metrics.at("L2"), (0.25 + 1 + 2.25) / 3 / 2);
  EXPECT_DOUBLE_EQ(scores.metrics.at("rel_l2"), 0.25);
  for (const Metric metric : distances()) {
    if (!has_losses(metric)) continue;
    const Scores one = evaluate(scaled_root(1.5F), reference, pool, {.metrics = {metric}});
    EXPECT_TRUE(std::isfinite(one.metrics.begin()->second)) << metric_info(metric).name;
  }
}

/// The output holds the values of x + shift that are above 0.
Model positive_values(float shift) {
  testing::ModelBuilder builder;
  const std::string sum =
      builder.node("Add", {builder.input("x", {1, 4}), builder.weight("shift", {1}, {shift})});
  const std::string relu = builder.node("Relu", {sum});
  const std::string rows = builder.node("Transpose", {builder.node("NonZero", {relu})});
  builder.output(builder.node("GatherND", {relu, rows}, {}, "found"));
  return builder.build();
}

TEST(Evaluate, AnOutputSizedByTheDataCountsAsZerosWhereItHasAnotherSize) {
  const auto data =
      std::make_shared<ArraySource>(Tensor::of<float>({2, 4}, {1, 2, 0.5F, 3, 1, -2, 3, 4}), "x");
  const Reference reference = reference_of(positive_values(0), data, 2);
  EXPECT_EQ(reference.batch(), 1);
  ThreadPool pool(1);
  const EvaluateOptions options{.metrics = {Metric::rel_l2, Metric::l1}};
  EXPECT_EQ(evaluate(positive_values(0), reference, pool, options).metrics.at("rel_l2"), 0);
  // The first sample loses .5 and so counts as if nothing were found; the second is off by 1
  // everywhere.
  const Scores scores = evaluate(positive_values(-0.75F), reference, pool, options);
  EXPECT_DOUBLE_EQ(scores.metrics.at("rel_l2"), (14.25 + 3 * 0.5625) / (14.25 + 26));
  EXPECT_DOUBLE_EQ(scores.metrics.at("L1"), (6.5 / 4 + 0.75) / 2);
}

TEST(Evaluate, AnOutputWhereTheFloatModelHasNoneCountsAgainstZeros) {
  const auto data =
      std::make_shared<ArraySource>(Tensor::of<float>({1, 4}, {-1, -2, -0.5F, -3}), "x");
  ThreadPool pool(1);
  const Scores scores = evaluate(positive_values(1), reference_of(positive_values(0), data), pool,
                                 {.metrics = {Metric::rel_l2, Metric::cos}});
  EXPECT_EQ(scores.metrics.at("cos"), -1);
  EXPECT_EQ(scores.metrics.at("rel_l2"), 1e6);
}

TEST(Evaluate, AnOutputThatIsAnInputIsTheSameInEveryRun) {
  const auto with_input = [](float scale) {
    Model model = scaled(scale, 0);
    model.graph.outputs.push_back(model.graph.inputs[0]);
    return model;
  };
  const Reference reference = reference_of(with_input(1), samples({5, 4}));
  ThreadPool pool(2);
  const Scores first = evaluate(with_input(1.1F), reference, pool, {.metrics = {Metric::l2}});
  for (int run = 0; run < 5; ++run)
    EXPECT_EQ(evaluate(with_input(1.1F), reference, pool, {.metrics = {Metric::l2}}).metrics,
              first.metrics);
}

TEST(Evaluate, RefusesLabelsOutsideTheClasses) {
  ThreadPool pool(1);
  const Reference reference(scaled(1, 0), samples({2, 4}), Labels{0, 4}, pool, ByteBudget(kPlenty),
                            {});
  EXPECT_EQ(error_of(scaled(1, 0), reference, {.metrics = {Metric::top1}}),
            "evaluate: label 4 of sample 1 is not one of the 4 classes of output 'y_out'");
}

TEST(Evaluate, RefusesLabelsWhereNoOutputHasClassesWithTheWayOut) {
  testing::ModelBuilder builder;
  builder.input("x", {-1, 1});
  builder.output(builder.node("Relu", {"x"}, {}, "y"), {-1, 1});
  const Model model = builder.build();
  ThreadPool pool(1);
  const Reference reference(model, samples({2, 1}), Labels{0, 3}, pool, ByteBudget(kPlenty), {});
  EXPECT_EQ(error_of(model, reference, {.metrics = {Metric::top1}}),
            "evaluate: label 3 of sample 1 is not one of the 1 classes of output '" +
                model.graph.outputs[0].name +
                "'; expected an output with a number for each class (a model of scikit-learn has "
                "one when it is exported with zipmap off), or leave the labels out");
}

TEST(Evaluate, StopsInTheMiddleWhenCancelled) {
  auto data = std::make_shared<ArraySource>(testing::random_tensor({50, 4}, 1), "x");
  const Reference reference = reference_of(scaled(1, 0), data);
  const CancellationToken token;
  std::atomic<int> reads = 0;
  data->on_read = [&](std::int64_t) {
    if (++reads == 5) token.cancel();
  };
  ThreadPool pool(2);
  EXPECT_THROW(
      (void)evaluate(scaled(1, 0), reference, pool, {.metrics = {Metric::l2}, .token = token}),
      Cancelled);
  EXPECT_LT(reads, 10);
}

TEST(Evaluate, MeasuresLatencyOnlyWhenAsked) {
  const Reference reference = reference_of(scaled(1, 0), samples({2, 4}));
  ThreadPool pool(1);
  EXPECT_FALSE(evaluate(scaled(1, 0), reference, pool, {}).latency);
  const auto latency = evaluate(scaled(1, 0), reference, pool, {.latency = true}).latency;
  ASSERT_TRUE(latency);
  EXPECT_GT(latency->median_ms, 0);
  EXPECT_EQ(latency->batch, 1);
}

}  // namespace
}  // namespace quantsearch
