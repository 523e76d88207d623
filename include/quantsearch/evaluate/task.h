#pragma once

// Scores of what a model is for: detection, text, segmentation, classes, neighbours, similarity. A
// task turns the outputs of a model into predictions and compares them with a ground truth or, when
// the user has none, with the predictions of the float model (docs/evaluators.md).

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/base/hash.h"
#include "quantsearch/base/value.h"
#include "quantsearch/data.h"
#include "quantsearch/model.h"

namespace quantsearch {

/// What a task makes of the outputs of one model for all samples of a data set.
class Predictions {
 public:
  virtual ~Predictions() = default;
  /// Takes the outputs of samples [first, first + count) from one run. Thread-safe for different
  /// samples. Throws InvalidInput when an output has another shape than the task decodes.
  virtual void add(std::int64_t first, std::int64_t count, const Batch& outputs) = 0;
};

/// A task over the samples of one data set. More is better for every score.
class Task {
 public:
  virtual ~Task() = default;
  /// The names of the scores; the first decides unless the user names another.
  [[nodiscard]] virtual const std::vector<std::string>& scores() const = 0;
  /// The outputs of the model that it reads.
  [[nodiscard]] virtual const std::vector<std::string>& outputs() const = 0;
  /// What predictions are compared with, for the log: "the annotations in 'boxes.json'".
  [[nodiscard]] virtual std::string truth() const = 0;
  /// False when the predictions of the float model are the truth.
  [[nodiscard]] virtual bool has_truth() const = 0;
  /// A key of the task, its options and its truth.
  [[nodiscard]] virtual const Key& key() const = 0;
  /// An empty set of predictions.
  [[nodiscard]] virtual std::unique_ptr<Predictions> predictions() const = 0;
  /// Compares complete predictions with the truth. `of_float`: those of the float model, which may
  /// be the same object. A score that the truth does not define, such as that of small objects
  /// where there are none, is absent. Throws InvalidInput when none is defined.
  [[nodiscard]] virtual std::map<std::string, double> score(const Predictions& of_model,
                                                            const Predictions& of_float) const = 0;
};

/// A task as the user configured it, with checked keys.
struct TaskConfig {
  std::string name;
  Value options = Value(Value::Map{});  // without the name

  bool operator==(const TaskConfig&) const = default;
};

/// A key of a task in a configuration file.
struct TaskKey {
  std::string name;
  std::string meaning;
  std::string default_value;
};
struct TaskInfo {
  std::string name;
  std::string meaning;
  std::vector<std::string> scores;
  std::vector<TaskKey> keys;
};
/// The built-in tasks; docs/evaluators.md has a section for each.
[[nodiscard]] const std::vector<TaskInfo>& all_tasks();

/// Reads {task: NAME, KEY: VALUE, ...}. Throws InvalidInput for an unknown task or key, naming the
/// nearest known one.
[[nodiscard]] TaskConfig read_task(const Value& value);

/// The names of the scores of a configured task; the first decides unless the user names another.
/// Throws InvalidInput for a value that does not fit.
[[nodiscard]] std::vector<std::string> scores_of(const TaskConfig& config);

/// The data set that a task scores.
struct TaskData {
  const Model& float_model;
  std::shared_ptr<const DataSource> samples;
  std::optional<Labels> labels = {};  // of the samples
  /// The number of the first sample in files of truth, when `samples` are a part of what they
  /// describe.
  std::int64_t first_in_truth = 0;
};
/// Makes the task, and reads its files. Throws InvalidInput for a value that does not fit, an
/// output that the model does not have, and a truth with fewer samples than the data.
[[nodiscard]] std::shared_ptr<const Task> make_task(const TaskConfig& config, const TaskData& data);

}  // namespace quantsearch
