// Accuracy of classes, against labels or against the classes of the float model.

#include "evaluate/classification.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "evaluate/sample.h"
#include "evaluate/tasks/builtin_tasks.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

/// The best classes of each sample, best first; of equal logits the lower index comes first.
class Classes final : public SamplePredictions<std::vector<std::int64_t>> {
 public:
  Classes(const TaskOptions& options, std::string output, std::int64_t samples, std::int64_t most)
      : SamplePredictions(samples), options_(options), output_(std::move(output)), most_(most) {}

  void add(std::int64_t first, std::int64_t count, const Batch& outputs) override {
    const Tensor logits = to_float32(outputs.at(output_));
    for (std::int64_t i = 0; i < count; ++i)
      entry(first + i) = best_of(sample_of(logits, i, count));
  }

 private:
  [[nodiscard]] std::vector<std::int64_t> best_of(const Sample& sample) const {
    if (!is_row_of_classes(sample)) {
      throw InvalidInput(fmt::format(
          "{}output '{}' has shape {} for one sample, expected [1, classes]; name another 'output'",
          options_.prefix(), output_, to_string(sample.shape)));
    }
    std::vector<std::int64_t> order(sample.values.size());
    std::iota(order.begin(), order.end(), std::int64_t{0});
    const auto middle =
        order.begin() + std::min(most_, static_cast<std::int64_t>(sample.values.size()));
    // NaN comes last.
    const auto logit = [&](std::int64_t index) {
      const float value = sample.values[static_cast<std::size_t>(index)];
      return std::isnan(value) ? -std::numeric_limits<float>::infinity() : value;
    };
    std::partial_sort(order.begin(), middle, order.end(), [&](std::int64_t a, std::int64_t b) {
      return logit(a) != logit(b) ? logit(a) > logit(b) : a < b;
    });
    order.erase(middle, order.end());
    return order;
  }

  TaskOptions options_;
  std::string output_;
  std::int64_t most_;
};

std::vector<std::int64_t> cuts_of(const TaskOptions& options) {
  std::vector<std::int64_t> cuts = options.integers("k");
  if (cuts.empty()) cuts = {1, 5};
  if (std::ranges::any_of(cuts, [](std::int64_t cut) { return cut < 1; }))
    options.refuse("k", "expected integers of at least 1");
  return cuts;
}

std::string name_of_cut(std::int64_t cut) { return fmt::format("accuracy_top{}", cut); }

std::vector<std::string> names_of_cuts(const std::vector<std::int64_t>& cuts) {
  std::vector<std::string> names;
  for (const std::int64_t cut : cuts) names.push_back(name_of_cut(cut));
  return names;
}

class ClassificationTask final : public BasicTask {
 public:
  ClassificationTask(const TaskOptions& options, const TaskData& data, const std::string& output)
      : BasicTask({.scores = names_of_cuts(cuts_of(options)),
                   .outputs = {output},
                   .truth_file = data.labels ? "labels" : ""},
                  task_key(options, data, {})),
        options_(options),
        samples_(data.samples->size()),
        cuts_(cuts_of(options)),
        labels_(data.labels) {}

  [[nodiscard]] std::unique_ptr<Predictions> predictions() const override {
    return std::make_unique<Classes>(options_, outputs().front(), samples_,
                                     *std::ranges::max_element(cuts_));
  }

  /// Without labels, the truth is the float model's best class.
  [[nodiscard]] std::map<std::string, double> score(const Predictions& of_model,
                                                    const Predictions& of_float) const override {
    const auto& found = Classes::of(of_model);
    const auto& expected = Classes::of(of_float);
    std::map<std::string, double> scores;
    for (const std::int64_t cut : cuts_) {
      std::int64_t hits = 0;
      for (std::size_t sample = 0; sample < found.size(); ++sample) {
        const std::int64_t label = labels_ ? (*labels_)[sample] : expected[sample].front();
        const auto end =
            found[sample].begin() + std::min(cut, static_cast<std::int64_t>(found[sample].size()));
        hits += std::find(found[sample].begin(), end, label) != end ? 1 : 0;
      }
      scores[name_of_cut(cut)] = static_cast<double>(hits) / static_cast<double>(found.size());
    }
    return scores;
  }

 private:
  TaskOptions options_;
  std::int64_t samples_;
  std::vector<std::int64_t> cuts_;
  std::optional<Labels> labels_;
};

std::shared_ptr<const Task> make_classification(const TaskOptions& options, const TaskData& data) {
  return std::make_shared<const ClassificationTask>(options, data,
                                                    only_output(options, data.float_model));
}

}  // namespace

BuiltinTask classification_task() {
  return {{.name = "classification",
           .meaning = "share of samples whose class is among the k best, of the labels (--labels) "
                      "or of the float model's best class",
           .scores = names_of_cuts({1, 5}),
           .keys = {{"output", "the output with a score for each class", "the only one"},
                    {"k", "how many of the best classes count", "[1, 5]"}}},
          make_classification,
          [](const TaskOptions& options) { return names_of_cuts(cuts_of(options)); }};
}

}  // namespace quantsearch
