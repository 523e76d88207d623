#pragma once

// Embeddings of samples, their similarity, and correlations of rankings.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "evaluate/sample.h"
#include "evaluate/tasks/builtin_tasks.h"

namespace quantsearch {

/// A vector of length 1; all zero when the model's vector is.
using Embedding = std::vector<float>;

/// The cosine of two embeddings.
[[nodiscard]] double similarity(const Embedding& a, const Embedding& b);

/// Ranks from 0; equal values share the mean of their ranks.
[[nodiscard]] std::vector<double> ranks_of(std::span<const double> values);
/// Pearson's correlation; 0 when one side is constant, and 1 when both are.
[[nodiscard]] double correlation(std::span<const double> a, std::span<const double> b);
/// Spearman's correlation: that of the ranks.
[[nodiscard]] double rank_correlation(std::span<const double> a, std::span<const double> b);

/// How one vector is made of the output for a sample.
class Pooling {
 public:
  Pooling(const TaskOptions& options, const TaskData& data);
  [[nodiscard]] const std::string& output() const { return output_; }
  [[nodiscard]] Embedding embed(const Sample& sample, std::int64_t number) const;

 private:
  [[nodiscard]] Embedding pooled(const Sample& sample, std::int64_t number) const;
  /// The weight of each token: that of the mask, or 1.
  [[nodiscard]] std::vector<double> weights(std::int64_t number, std::int64_t tokens) const;

  TaskOptions options_;
  std::shared_ptr<const DataSource> samples_;
  std::string output_;
  std::string method_;
  std::string mask_;  // an input; empty: all tokens count
};

class Embeddings final : public SamplePredictions<Embedding> {
 public:
  Embeddings(const Pooling& pooling, std::int64_t samples)
      : SamplePredictions(samples), pooling_(pooling) {}
  void add(std::int64_t first, std::int64_t count, const Batch& outputs) override;

 private:
  const Pooling& pooling_;
};

/// The keys that Pooling reads.
[[nodiscard]] std::vector<TaskKey> pooling_keys();

}  // namespace quantsearch
