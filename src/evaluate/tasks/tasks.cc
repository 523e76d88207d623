// The table of the built-in tasks.

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "evaluate/tasks/builtin_tasks.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/internal/base/names.h"

namespace quantsearch {

namespace {

const std::vector<BuiltinTask>& table_of_tasks() {
  static const std::vector<BuiltinTask> kTasks = {detection_task(),    text_task(),
                                                  segmentation_task(), classification_task(),
                                                  retrieval_task(),    similarity_task()};
  return kTasks;
}

/// Adds the bytes of a file, or of the files of a folder with their names.
void add_content(KeyBuilder& key, const std::filesystem::path& place) {
  if (!std::filesystem::is_directory(place)) {
    key.add(read_file(place));
    return;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(place))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::ranges::sort(files);
  for (const std::filesystem::path& file : files)
    key.add(file.lexically_relative(place).generic_string()).add(read_file(file));
}

void add_placing(KeyBuilder& key, const ImagePlacing& placing) {
  for (const ImageSize size : {placing.image, placing.sample}) key.add(size.height).add(size.width);
  for (const double value : {placing.scale_x, placing.scale_y, placing.left, placing.top})
    key.add(value);
}

const BuiltinTask& task_named(const std::string& name) {
  std::vector<std::string> known;
  for (const BuiltinTask& task : table_of_tasks()) {
    if (task.info.name == name) return task;
    known.push_back(task.info.name);
  }
  throw InvalidInput(unknown_name_message("task", name, known));
}

}  // namespace

const std::vector<TaskInfo>& all_tasks() {
  static const std::vector<TaskInfo> kInfos = [] {
    std::vector<TaskInfo> infos;
    for (const BuiltinTask& task : table_of_tasks()) infos.push_back(task.info);
    return infos;
  }();
  return kInfos;
}

TaskConfig read_task(const Value& value) {
  TaskConfig config;
  const Value* const name = value.find("task");
  if (name == nullptr) throw InvalidInput("got no 'task', expected the name of one");
  config.name = name->as_string();
  std::vector<std::string> known = {"task"};
  for (const TaskKey& key : task_named(config.name).info.keys) known.push_back(key.name);
  for (const auto& [key, given] : value.as_map()) {
    if (std::ranges::find(known, key) == known.end()) {
      throw InvalidInput(
          fmt::format("evaluator {}: {}", config.name, unknown_name_message("key", key, known)));
    }
    if (key != "task") config.options.set(key, given);
  }
  return config;
}

std::vector<std::string> scores_of(const TaskConfig& config) {
  const BuiltinTask& task = task_named(config.name);
  return task.scores != nullptr ? task.scores(TaskOptions(config)) : task.info.scores;
}

std::shared_ptr<const Task> make_task(const TaskConfig& config, const TaskData& data) {
  return task_named(config.name).make(TaskOptions(config), data);
}

Key task_key(const TaskOptions& options, const TaskData& data,
             const std::vector<std::string>& file_keys) {
  KeyBuilder key;
  key.add(options.written()).add(data.first_in_truth);
  for (const std::string& file : file_keys) {
    if (options.has(file)) {
      add_content(key, options.text(file));
    } else {
      key.add(std::string());
    }
  }
  for (const std::int64_t label : data.labels.value_or(Labels{})) key.add(label);
  return key.finish();
}

Key named_task_key(const TaskOptions& options, const TaskData& data,
                   const std::vector<std::string>& file_keys, const std::string& truth) {
  const Key key = task_key(options, data, file_keys);
  if (!options.has(truth) || data.samples->sample_name(0).empty()) return key;
  KeyBuilder named;
  named.add(key);
  for (std::int64_t sample = 0; sample < data.samples->size(); ++sample) {
    named.add(data.samples->sample_name(sample));
    if (const auto placing = data.samples->placing(sample)) add_placing(named, *placing);
  }
  return named.finish();
}

}  // namespace quantsearch
