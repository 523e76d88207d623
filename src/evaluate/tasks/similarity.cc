// Correlation of the similarity of pairs of samples with gold scores or with the float model's
// similarities, as in the benchmark of semantic textual similarity (Cer et al. 2017).

#include <fmt/core.h>

#include "evaluate/tasks/builtin_tasks.h"
#include "evaluate/tasks/embeddings.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

const std::vector<std::string> kSimilarityScores = {"spearman", "pearson"};

class SimilarityTask final : public BasicTask {
 public:
  SimilarityTask(const TaskOptions& options, const TaskData& data)
      : BasicTask({.scores = kSimilarityScores,
                   .outputs = {Pooling(options, data).output()},
                   .truth_file = options.text("scores")},
                  task_key(options, data, {"scores"})),
        samples_(data.samples->size()),
        pooling_(options, data) {
    constexpr std::int64_t kFewestPairs = 3;
    if (samples_ % 2 != 0 || samples_ / 2 < kFewestPairs || data.first_in_truth % 2 != 0) {
      throw InvalidInput(fmt::format(
          "{}got {} samples from number {}, expected at least {} pairs of samples one after the "
          "other",
          options.prefix(), samples_, data.first_in_truth, kFewestPairs));
    }
    if (!has_truth()) return;
    const Tensor gold =
        to_float32(truth_rows(options, "scores", data.first_in_truth / 2, samples_ / 2));
    if (gold.size() != samples_ / 2)
      options.refuse("scores", fmt::format("{} has shape {}, expected one number for each pair",
                                           truth(), to_string(gold.shape())));
    gold_.assign(gold.values<float>().begin(), gold.values<float>().end());
  }

  [[nodiscard]] std::unique_ptr<Predictions> predictions() const override {
    return std::make_unique<Embeddings>(pooling_, samples_);
  }

  [[nodiscard]] std::map<std::string, double> score(const Predictions& of_model,
                                                    const Predictions& of_float) const override {
    const std::vector<double> found = similarities(Embeddings::of(of_model));
    const std::vector<double> expected =
        has_truth() ? gold_ : similarities(Embeddings::of(of_float));
    return {{"spearman", rank_correlation(found, expected)},
            {"pearson", correlation(found, expected)}};
  }

 private:
  static std::vector<double> similarities(const std::vector<Embedding>& embeddings) {
    std::vector<double> result;
    for (std::size_t i = 0; i + 1 < embeddings.size(); i += 2)
      result.push_back(similarity(embeddings[i], embeddings[i + 1]));
    return result;
  }

  std::int64_t samples_;
  Pooling pooling_;
  std::vector<double> gold_;  // by pair
};

std::shared_ptr<const Task> make_similarity(const TaskOptions& options, const TaskData& data) {
  return std::make_shared<const SimilarityTask>(options, data);
}

}  // namespace

BuiltinTask similarity_task() {
  std::vector<TaskKey> keys = pooling_keys();
  keys.push_back({"scores",
                  "array with the gold score of each pair; without it the float model's "
                  "similarities are the truth",
                  "none"});
  return {{.name = "similarity",
           .meaning = "correlation of the cosines of pairs of samples, the first with the second, "
                      "the third with the fourth and so on",
           .scores = kSimilarityScores,
           .keys = std::move(keys)},
          make_similarity};
}

}  // namespace quantsearch
