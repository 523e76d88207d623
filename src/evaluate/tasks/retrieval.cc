// Agreement of nearest neighbours, against labels or against the float model's neighbours.

#include <fmt/core.h>

#include <algorithm>
#include <numeric>

#include "evaluate/tasks/builtin_tasks.h"
#include "evaluate/tasks/embeddings.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

std::vector<std::int64_t> recall_cuts(const TaskOptions& options) {
  std::vector<std::int64_t> cuts = options.integers("k");
  if (cuts.empty()) cuts = {1, 10};
  if (std::ranges::any_of(cuts, [](std::int64_t cut) { return cut < 1; }))
    options.refuse("k", "expected integers of at least 1");
  return cuts;
}

std::string recall_name(std::int64_t cut) { return fmt::format("recall_at_{}", cut); }

std::vector<std::string> retrieval_names(const std::vector<std::int64_t>& cuts) {
  std::vector<std::string> names;
  for (const std::int64_t cut : cuts) names.push_back(recall_name(cut));
  names.emplace_back("rank_agreement");
  return names;
}

/// Similarities of a query to all other samples, and these nearest first.
struct Neighbours {
  std::vector<double> similarities;  // by position among the others
  std::vector<std::size_t> order;    // positions; of equal similarities the earlier one comes first
};

Neighbours neighbours_of(const std::vector<Embedding>& embeddings, std::size_t query) {
  Neighbours result;
  for (std::size_t other = 0; other < embeddings.size(); ++other) {
    if (other != query)
      result.similarities.push_back(similarity(embeddings[query], embeddings[other]));
  }
  result.order.resize(result.similarities.size());
  std::iota(result.order.begin(), result.order.end(), std::size_t{0});
  std::ranges::stable_sort(result.order, std::greater<>(),
                           [&](std::size_t i) { return result.similarities[i]; });
  return result;
}

class RetrievalTask final : public BasicTask {
 public:
  RetrievalTask(const TaskOptions& options, const TaskData& data)
      : BasicTask({.scores = retrieval_names(recall_cuts(options)),
                   .outputs = {Pooling(options, data).output()},
                   .truth_file = data.labels ? "labels" : ""},
                  task_key(options, data, {})),
        samples_(data.samples->size()),
        queries_(std::min(samples_, options.integer("queries", 500, 1))),
        cuts_(recall_cuts(options)),
        labels_(data.labels),
        pooling_(options, data) {
    const std::int64_t largest = *std::ranges::max_element(cuts_);
    if (samples_ <= largest) {
      options.refuse("k", fmt::format("got {} neighbours and {} samples, expected more samples",
                                      largest, samples_));
    }
    if (labels_ && std::ranges::none_of(*labels_, [&](std::int64_t label) {
          return std::ranges::count(*labels_, label) > 1;
        })) {
      throw InvalidInput(options.prefix() +
                         "no two samples have the same label, expected some that find each other");
    }
  }

  [[nodiscard]] std::unique_ptr<Predictions> predictions() const override {
    return std::make_unique<Embeddings>(pooling_, samples_);
  }

  [[nodiscard]] std::map<std::string, double> score(const Predictions& of_model,
                                                    const Predictions& of_float) const override {
    const auto& found = Embeddings::of(of_model);
    const auto& expected = Embeddings::of(of_float);
    std::vector<double> recalls(cuts_.size());
    double agreement = 0;
    std::int64_t counted = 0;  // queries with something to find
    for (std::int64_t i = 0; i < queries_; ++i) {
      const auto query = static_cast<std::size_t>(i * samples_ / queries_);
      const Neighbours ours = neighbours_of(found, query);
      const Neighbours theirs = neighbours_of(expected, query);
      agreement += rank_correlation(ours.similarities, theirs.similarities);
      if (labels_ && std::ranges::count(*labels_, (*labels_)[query]) < 2) continue;
      ++counted;
      for (std::size_t cut = 0; cut < cuts_.size(); ++cut)
        recalls[cut] += recall(ours, theirs, query, static_cast<std::size_t>(cuts_[cut]));
    }
    std::map<std::string, double> scores;
    for (std::size_t cut = 0; cut < cuts_.size() && counted > 0; ++cut)
      scores[recall_name(cuts_[cut])] = recalls[cut] / static_cast<double>(counted);
    scores["rank_agreement"] = agreement / static_cast<double>(queries_);
    return scores;
  }

 private:
  /// With labels: 1 when one of the nearest has the query's label. Without: the share of the float
  /// model's nearest that are among the nearest.
  [[nodiscard]] double recall(const Neighbours& ours, const Neighbours& theirs, std::size_t query,
                              std::size_t cut) const {
    const auto end = ours.order.begin() + static_cast<std::ptrdiff_t>(cut);
    if (labels_) {
      const auto has_label = [&](std::size_t position) {
        const std::size_t sample = position < query ? position : position + 1;
        return (*labels_)[sample] == (*labels_)[query];
      };
      return std::any_of(ours.order.begin(), end, has_label) ? 1 : 0;
    }
    const auto common = std::count_if(
        theirs.order.begin(), theirs.order.begin() + static_cast<std::ptrdiff_t>(cut),
        [&](std::size_t sample) { return std::find(ours.order.begin(), end, sample) != end; });
    return static_cast<double>(common) / static_cast<double>(cut);
  }

  std::int64_t samples_;
  std::int64_t queries_;
  std::vector<std::int64_t> cuts_;
  std::optional<Labels> labels_;
  Pooling pooling_;
};

std::shared_ptr<const Task> make_retrieval(const TaskOptions& options, const TaskData& data) {
  return std::make_shared<const RetrievalTask>(options, data);
}

}  // namespace

BuiltinTask retrieval_task() {
  std::vector<TaskKey> keys = pooling_keys();
  keys.push_back({"k", "how many neighbours count", "[1, 10]"});
  keys.push_back({"queries", "most samples whose neighbours are looked for", "500"});
  return {{.name = "retrieval",
           .meaning = "nearest neighbours of embeddings: with labels (--labels) the share of "
                      "queries that find their label, else the share of the float model's "
                      "neighbours that are found",
           .scores = retrieval_names({1, 10}),
           .keys = std::move(keys)},
          make_retrieval,
          [](const TaskOptions& options) { return retrieval_names(recall_cuts(options)); }};
}

}  // namespace quantsearch
