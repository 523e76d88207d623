#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <numeric>

#include "quantsearch/base/error.h"
#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

/// y = x + x.
Model doubler(std::int64_t batch) {
  ModelBuilder builder;
  const std::string x = builder.input("x", {batch, 2});
  builder.output(builder.node("Add", {x, x}, {}, "double"), {batch, 2});
  return builder.build();
}

/// Sample i is [2 i, 2 i + 1].
class Counting final : public DataSource {
 public:
  explicit Counting(std::int64_t samples, std::int64_t largest_batch = 1000)
      : samples_(samples), largest_batch_(largest_batch) {}
  [[nodiscard]] std::int64_t size() const override { return samples_; }
  [[nodiscard]] std::int64_t largest_batch() const override { return largest_batch_; }
  [[nodiscard]] Batch read(std::int64_t first, std::int64_t count) const override {
    EXPECT_LE(count, largest_batch_);
    std::vector<float> values(static_cast<std::size_t>(count) * 2);
    std::iota(values.begin(), values.end(), static_cast<float>(2 * first));
    return {{"x", Tensor::of<float>({count, 2}, values)}};
  }
  [[nodiscard]] Key content_key() const override { return {}; }

 private:
  std::int64_t samples_;
  std::int64_t largest_batch_;
};

/// First sample of each run -> its outputs.
std::map<std::int64_t, Tensor> collect(const Session& session, const DataSource& data, int threads,
                                       std::int64_t batch) {
  ThreadPool pool(threads);
  std::mutex mutex;
  std::map<std::int64_t, Tensor> outputs;
  run_samples(session, data, pool, {.batch = batch, .token = {}},
              [&](std::int64_t first, std::int64_t count, const Batch& values, int worker) {
                const std::lock_guard lock(mutex);
                EXPECT_LT(worker, threads);
                EXPECT_EQ(values.at("double_out").shape()[0], count);
                EXPECT_TRUE(outputs.emplace(first, values.at("double_out")).second);
                return true;
              });
  return outputs;
}

TEST(RunSamples, RunsEachSampleOnceInBatches) {
  const auto session = open_session(doubler(-1));
  const auto outputs = collect(*session, Counting(7), 2, 3);
  ASSERT_EQ(outputs.size(), 3U);
  EXPECT_EQ(outputs.at(0), Tensor::of<float>({3, 2}, {0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(outputs.at(3), Tensor::of<float>({3, 2}, {12, 14, 16, 18, 20, 22}));
  EXPECT_EQ(outputs.at(6), Tensor::of<float>({1, 2}, {24, 26}));
}

TEST(RunSamples, RunsAFixedBatchOfOneSampleBySample) {
  const auto session = open_session(doubler(1));
  EXPECT_FALSE(session->stacks_samples());
  EXPECT_EQ(collect(*session, Counting(5), 2, 8).size(), 5U);
}

TEST(RunSamples, TakesNoMoreThanTheSourceAllows) {
  const auto session = open_session(doubler(-1));
  EXPECT_EQ(collect(*session, Counting(4, 1), 1, 8).size(), 4U);
}

TEST(RunSamples, GivesTheSameForAnyNumberOfThreads) {
  const auto session = open_session(doubler(-1));
  EXPECT_EQ(collect(*session, Counting(50), 1, 4), collect(*session, Counting(50), 4, 4));
}

TEST(RunSamples, AcceptsABatchLargerThanTheData) {
  EXPECT_EQ(collect(*open_session(doubler(-1)), Counting(3), 2, 1000).size(), 1U);
}

TEST(RunSamples, RefusesABatchOfZero) {
  EXPECT_THROW(collect(*open_session(doubler(-1)), Counting(3), 1, 0), InvalidInput);
}

TEST(RunSamples, StopsWhenCancelled) {
  ThreadPool pool(2);
  const CancellationToken token;
  std::atomic<int> runs = 0;
  EXPECT_THROW(
      run_samples(*open_session(doubler(-1)), Counting(1000), pool, {.batch = 1, .token = token},
                  [&](std::int64_t, std::int64_t, const Batch&, int) {
                    ++runs;
                    token.cancel();
                    return true;
                  }),
      Cancelled);
  EXPECT_LE(runs, 2);
}

TEST(RunSamples, PassesOnWhatTheConsumerThrows) {
  ThreadPool pool(2);
  EXPECT_THROW(run_samples(*open_session(doubler(-1)), Counting(9), pool, {},
                           [](std::int64_t, std::int64_t, const Batch&, int) -> bool {
                             throw IoError("full");
                           }),
               IoError);
}

TEST(RunSamples, RunsSamplesInTheRequestedOrder) {
  ThreadPool pool(1);
  std::vector<std::int64_t> samples;
  const auto backwards = [](std::int64_t position) { return 9 - position; };
  EXPECT_TRUE(run_samples(*open_session(doubler(-1)), Counting(10), pool,
                          {.batch = 1, .begin = 2, .end = 5, .sample_at = backwards},
                          [&](std::int64_t sample, std::int64_t, const Batch&, int) {
                            samples.push_back(sample);
                            return true;
                          }));
  EXPECT_EQ(samples, (std::vector<std::int64_t>{7, 6, 5}));
}

TEST(RunSamples, EndsWhenTheConsumerReturnsFalse) {
  ThreadPool pool(1);
  int runs = 0;
  EXPECT_FALSE(
      run_samples(*open_session(doubler(-1)), Counting(10), pool, {.batch = 1},
                  [&](std::int64_t, std::int64_t, const Batch&, int) { return ++runs < 3; }));
  EXPECT_EQ(runs, 3);
}

}  // namespace
}  // namespace quantsearch
