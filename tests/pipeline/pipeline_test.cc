#include "quantsearch/pipeline/pipeline.h"

#include <gtest/gtest.h>

#include "quantsearch/base/error.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

constexpr std::int64_t kPlenty = 1 << 24;

/// first = x and second = -x: the largest of one is the smallest of the other.
Model two_sided() {
  testing::ModelBuilder builder;
  builder.input("x", {-1, 2});
  builder.constant("one", Tensor::of<float>({2, 2}, {1, 0, 0, 1}));
  builder.constant("minus", Tensor::of<float>({2, 2}, {-1, 0, 0, -1}));
  builder.output(builder.node("MatMul", {"x", "one"}, {}, "first"), {-1, 2});
  builder.output(builder.node("MatMul", {"x", "minus"}, {}, "second"), {-1, 2});
  return builder.build();
}

std::shared_ptr<const DataSource> data() {
  return in_memory_data({{"x", Tensor::of<float>({2, 2}, {3, 1, 2, -2})}});
}

class PipelineTest : public ::testing::Test {
 protected:
  Reference reference(const std::string& logits_output, const Labels& labels) {
    return {model_,
            data(),
            labels,
            pool_,
            ByteBudget(kPlenty),
            {.batch = 1, .logits_output = logits_output}};
  }
  double top1(const std::string& logits_output, const Labels& labels) {
    Candidate candidate = pipeline_.build(resolve(settings_from(Value())), CancellationToken());
    return pipeline_.score(candidate, reference(logits_output, labels), {.metrics = {Metric::top1}})
        .metrics.at("top1");
  }

  ThreadPool pool_{1};
  Model model_ = two_sided();
  Pipeline pipeline_{model_, data(), pool_, ByteBudget(kPlenty), {}};
};

TEST_F(PipelineTest, ScoresOfDifferentLogitsAreNotShared) {
  EXPECT_EQ(top1("first_out", {0, 0}), 1);
  EXPECT_EQ(top1("second_out", {0, 0}), 0);
}

TEST_F(PipelineTest, ScoresAgainstDifferentLabelsAreNotShared) {
  EXPECT_EQ(top1("first_out", {0, 0}), 1);
  EXPECT_EQ(top1("first_out", {0, 1}), 0.5);
}

TEST_F(PipelineTest, HistogramBinsMustBeAPowerOfTwo) {
  for (const int bins : {8, 1000, 65536}) {
    QuantizationConfig config = resolve(settings_from(Value()));
    config.histogram_bins = bins;
    try {
      (void)pipeline_.build(config, CancellationToken());
      FAIL() << "nothing was thrown for " << bins;
    } catch (const InvalidInput& error) {
      EXPECT_EQ(error.what(), "pipeline: histogram_bins is " + std::to_string(bins) +
                                  ", expected a power of two from 16 to 32768");
    }
  }
}

// It was read from a cache that had not kept it.
TEST_F(PipelineTest, TheSimplifiedModelLivesThoughTheCacheHoldsNothing) {
  Pipeline pipeline(model_, data(), pool_, ByteBudget(1), {});
  const std::shared_ptr<const Model> simplified = pipeline.simplified({});
  EXPECT_EQ(simplified->graph.nodes.size(), 2U);
  EXPECT_EQ(simplified->graph.nodes[0].op_type, "MatMul");
}

}  // namespace
}  // namespace quantsearch
