#pragma once

// The values of a task's keys, with messages that name the task and the key.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/evaluate/task.h"

namespace quantsearch {

class TaskOptions {
 public:
  explicit TaskOptions(const TaskConfig& config) : config_(config) {}

  /// "evaluator detection: ", which begins every message.
  [[nodiscard]] std::string prefix() const;
  /// The name and all given keys, as one text.
  [[nodiscard]] std::string written() const;
  [[nodiscard]] bool has(const std::string& key) const;
  /// Each throws InvalidInput for a value of another kind or out of the range.
  [[nodiscard]] double number(const std::string& key, double absent, double low, double high) const;
  [[nodiscard]] std::int64_t integer(const std::string& key, std::int64_t absent,
                                     std::int64_t low) const;
  [[nodiscard]] bool flag(const std::string& key, bool absent) const;
  /// Empty when it is absent.
  [[nodiscard]] std::string text(const std::string& key) const;
  /// One of `known`; the first when it is absent.
  [[nodiscard]] std::string choice(const std::string& key,
                                   const std::vector<std::string>& known) const;
  /// A single value stands for a list of one. Empty when it is absent.
  [[nodiscard]] std::vector<std::int64_t> integers(const std::string& key) const;
  [[nodiscard]] std::vector<double> numbers(const std::string& key) const;
  [[nodiscard]] std::vector<std::string> texts(const std::string& key) const;

  /// Throws InvalidInput with the prefix and the key before the text.
  [[noreturn]] void refuse(const std::string& key, const std::string& text) const;

 private:
  /// Null when the key is absent.
  [[nodiscard]] const Value* value(const std::string& key) const;
  template <typename Read>
  [[nodiscard]] auto read(const std::string& key, const Read& read) const;
  [[nodiscard]] Value::List list(const std::string& key) const;

  TaskConfig config_;
};

/// The one output that a task reads: the one of the key 'output' or, when it is absent, the only
/// one of the model. Throws InvalidInput naming the outputs.
[[nodiscard]] std::string only_output(const TaskOptions& options, const Model& model);
/// Throws InvalidInput for a name that is no output of the model.
void require_output(const TaskOptions& options, const Model& model, const std::string& name);

/// Reads the array of the key's file, or `key` among several, whose first axis counts the samples.
/// Returns the rows of the samples. Throws InvalidInput when it has too few.
[[nodiscard]] Tensor truth_rows(const TaskOptions& options, const std::string& key,
                                std::int64_t first, std::int64_t count);

}  // namespace quantsearch
