#pragma once

// Small networks for reconstruction, and the distance of a result from the float model.

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>

#include "quantsearch/calibrate.h"
#include "quantsearch/finetune.h"

namespace quantsearch::testing {

inline constexpr std::int64_t kSamples = 24;

struct Prepared {
  Model reference;
  std::shared_ptr<const DataSource> data;
  QuantizedModel candidate;
};

[[nodiscard]] Prepared prepare(const Model& model, std::shared_ptr<const DataSource> data,
                               const QuantizeOptions& options, ThreadPool& pool);

/// A convolution, a second one with a residual join, a depthwise one with Clip, and a classifier.
[[nodiscard]] Model small_network();

/// kSamples inputs of small_network().
[[nodiscard]] std::shared_ptr<const DataSource> small_data();

/// The energy of the difference of the model's outputs from the float outputs, divided by the
/// energy of the float outputs.
[[nodiscard]] double distance(const Prepared& prepared, const Model& model);

class FinetuneTest : public ::testing::Test {
 protected:
  FinetunedModel tune(const Prepared& prepared, const FinetuneOptions& options, int threads = 2,
                      std::int64_t bytes = 1 << 26) {
    ThreadPool pool(threads);
    return finetune(
        prepared.candidate, prepared.reference, *prepared.data, options,
        {.pool = pool, .budget = ByteBudget(bytes), .cache_folder = {}, .token = {}, .log = {}});
  }
  Prepared small(const QuantizeOptions& options = {}) {
    return prepare(small_network(), small_data(), options, pool_);
  }

  ThreadPool pool_{2};
};

inline const FinetuneOptions kGptq = {.algorithm = FinetuneAlgorithm::gptq};

[[nodiscard]] inline FinetuneOptions gradient(FinetuneAlgorithm algorithm, double learning_rate) {
  return {.algorithm = algorithm, .iterations = 200, .learning_rate = learning_rate, .seed = 5};
}

}  // namespace quantsearch::testing
