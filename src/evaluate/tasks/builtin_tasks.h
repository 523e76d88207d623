#pragma once

// The built-in tasks, one file each.

#include <memory>

#include "evaluate/tasks/task_options.h"
#include "quantsearch/evaluate/task.h"

namespace quantsearch {

/// A row of the table of tasks.
struct BuiltinTask {
  TaskInfo info;
  std::shared_ptr<const Task> (*make)(const TaskOptions& options, const TaskData& data);
  // The scores that the options ask for; null when they are always those of the info.
  std::vector<std::string> (*scores)(const TaskOptions& options) = nullptr;
};

[[nodiscard]] BuiltinTask classification_task();
[[nodiscard]] BuiltinTask detection_task();
[[nodiscard]] BuiltinTask retrieval_task();
[[nodiscard]] BuiltinTask segmentation_task();
[[nodiscard]] BuiltinTask similarity_task();
[[nodiscard]] BuiltinTask text_task();

/// What every task has: the names of its scores and outputs, and what it compares with.
struct TaskFacts {
  std::vector<std::string> scores;
  std::vector<std::string> outputs;
  std::string truth_file = {};  // empty: the float model's predictions are the truth
};

/// One prediction for each sample. `Entry` is written by sample index.
template <typename Entry>
class SamplePredictions : public Predictions {
 public:
  explicit SamplePredictions(std::int64_t samples) : entries_(static_cast<std::size_t>(samples)) {}
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  static const std::vector<Entry>& of(const Predictions& predictions) {
    return dynamic_cast<const SamplePredictions&>(predictions).entries();
  }

 protected:
  [[nodiscard]] Entry& entry(std::int64_t sample) {
    return entries_[static_cast<std::size_t>(sample)];
  }

 private:
  std::vector<Entry> entries_;
};

/// The part of a task that does not depend on what it predicts.
class BasicTask : public Task {
 public:
  BasicTask(TaskFacts facts, Key key) : facts_(std::move(facts)), key_(key) {}
  [[nodiscard]] const std::vector<std::string>& scores() const final { return facts_.scores; }
  [[nodiscard]] const std::vector<std::string>& outputs() const final { return facts_.outputs; }
  [[nodiscard]] bool has_truth() const final { return !facts_.truth_file.empty(); }
  [[nodiscard]] std::string truth() const final {
    return has_truth() ? "'" + facts_.truth_file + "'" : "the float model's own predictions";
  }
  [[nodiscard]] const Key& key() const final { return key_; }

 private:
  TaskFacts facts_;
  Key key_;
};

/// A key of the options, the part of the data and the bytes of the files that the keys name.
[[nodiscard]] Key task_key(const TaskOptions& options, const TaskData& data,
                           const std::vector<std::string>& file_keys);
/// The same for a task that finds the truth in the file of the key `truth` by the names of the
/// samples: a key of these and of where their images are, too, when both are there.
[[nodiscard]] Key named_task_key(const TaskOptions& options, const TaskData& data,
                                 const std::vector<std::string>& file_keys,
                                 const std::string& truth);

}  // namespace quantsearch
