// Correlation of the similarity of pairs of samples with gold scores or with the float model's
// similarities, as in the benchmark of semantic textual similarity (Cer et al. 2017).

#include <fmt/core.h>

#include "evaluate/tasks/builtin_tasks.h"
#include "evaluate/tasks/embeddings.h"
#include "evaluate/tasks/named_pairs.h"
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
                  named_task_key(options, data, {"scores"}, "scores")),
        samples_(data.samples->size()),
        pooling_(options, data) {
    if (is_pair_text(options.text("scores"))) {
      pairs_ = read_named_pairs(options, *data.samples);
      if (std::ssize(pairs_) < kFewestPairs) {
        options.refuse("scores", fmt::format("{} has {} pairs of the samples, expected at least {}",
                                             truth(), pairs_.size(), kFewestPairs));
      }
    } else {
      pair_in_order(options, data.first_in_truth);
    }
  }

  [[nodiscard]] std::unique_ptr<Predictions> predictions() const override {
    return std::make_unique<Embeddings>(pooling_, samples_);
  }

  [[nodiscard]] std::map<std::string, double> score(const Predictions& of_model,
                                                    const Predictions& of_float) const override {
    const std::vector<double> found = similarities(Embeddings::of(of_model));
    const std::vector<double> expected =
        has_truth() ? gold_scores() : similarities(Embeddings::of(of_float));
    return {{"spearman", rank_correlation(found, expected)},
            {"pearson", correlation(found, expected)}};
  }

 private:
  static constexpr std::int64_t kFewestPairs = 3;

  void pair_in_order(const TaskOptions& options, std::int64_t first_in_truth) {
    const std::int64_t pairs = samples_ / 2;
    if (samples_ % 2 != 0 || pairs < kFewestPairs || first_in_truth % 2 != 0) {
      throw InvalidInput(fmt::format(
          "{}got {} samples from number {}, expected at least {} pairs of samples one after the "
          "other",
          options.prefix(), samples_, first_in_truth, kFewestPairs));
    }
    for (std::size_t pair = 0; pair < static_cast<std::size_t>(pairs); ++pair)
      pairs_.push_back({.first = 2 * pair, .second = 2 * pair + 1});
    if (!has_truth()) return;
    const Tensor gold = to_float32(truth_rows(options, "scores", first_in_truth / 2, pairs));
    if (gold.size() != pairs)
      options.refuse("scores", fmt::format("{} has shape {}, expected one number for each pair",
                                           truth(), to_string(gold.shape())));
    for (std::size_t pair = 0; pair < pairs_.size(); ++pair)
      pairs_[pair].score = gold.values<float>()[pair];
  }

  [[nodiscard]] std::vector<double> gold_scores() const {
    std::vector<double> scores;
    for (const GoldPair& pair : pairs_) scores.push_back(pair.score);
    return scores;
  }

  [[nodiscard]] std::vector<double> similarities(const std::vector<Embedding>& embeddings) const {
    std::vector<double> result;
    for (const GoldPair& pair : pairs_)
      result.push_back(similarity(embeddings[pair.first], embeddings[pair.second]));
    return result;
  }

  std::int64_t samples_;
  Pooling pooling_;
  std::vector<GoldPair> pairs_;
};

std::shared_ptr<const Task> make_similarity(const TaskOptions& options, const TaskData& data) {
  return std::make_shared<const SimilarityTask>(options, data);
}

}  // namespace

BuiltinTask similarity_task() {
  std::vector<TaskKey> keys = pooling_keys();
  keys.push_back({"scores",
                  "array with the gold score of each pair; for a folder of images also a .tsv or "
                  ".txt whose lines have the names of two files and the score of this pair, with "
                  "tabs between; without it the float model's similarities are the truth",
                  "none"});
  return {{.name = "similarity",
           .meaning = "correlation of the cosines of pairs of samples, the first with the second, "
                      "the third with the fourth and so on",
           .scores = kSimilarityScores,
           .keys = std::move(keys)},
          make_similarity};
}

}  // namespace quantsearch
