#include "evaluate/tasks/task_options.h"

#include <fmt/core.h>

#include <algorithm>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"

namespace quantsearch {

std::string TaskOptions::prefix() const { return fmt::format("evaluator {}: ", config_.name); }

std::string TaskOptions::written() const { return config_.name + " " + to_json(config_.options); }

bool TaskOptions::has(const std::string& key) const { return value(key) != nullptr; }

const Value* TaskOptions::value(const std::string& key) const {
  const Value* const found = config_.options.find(key);
  return found == nullptr || found->is_null() ? nullptr : found;
}

void TaskOptions::refuse(const std::string& key, const std::string& text) const {
  throw InvalidInput(fmt::format("{}'{}': {}", prefix(), key, text));
}

template <typename Read>
auto TaskOptions::read(const std::string& key, const Read& read) const {
  try {
    return read(*value(key));
  } catch (const InvalidInput& error) {
    refuse(key, error.what());
  }
}

double TaskOptions::number(const std::string& key, double absent, double low, double high) const {
  if (!has(key)) return absent;
  const double number = read(key, [](const Value& value) { return value.as_double(); });
  if (number >= low && number <= high) return number;
  refuse(key, fmt::format("got {}, expected a number from {} to {}", number, low, high));
}

std::int64_t TaskOptions::integer(const std::string& key, std::int64_t absent,
                                  std::int64_t low) const {
  if (!has(key)) return absent;
  const std::int64_t number = read(key, [](const Value& value) { return value.as_int(); });
  if (number >= low) return number;
  refuse(key, fmt::format("got {}, expected an integer of at least {}", number, low));
}

bool TaskOptions::flag(const std::string& key, bool absent) const {
  return has(key) ? read(key, [](const Value& value) { return value.as_bool(); }) : absent;
}

std::string TaskOptions::text(const std::string& key) const {
  return has(key) ? read(key, [](const Value& value) { return value.as_string(); }) : "";
}

std::string TaskOptions::choice(const std::string& key,
                                const std::vector<std::string>& known) const {
  if (!has(key)) return known.front();
  std::string chosen = text(key);
  if (std::ranges::find(known, chosen) != known.end()) return chosen;
  throw InvalidInput(prefix() + unknown_name_message(key, chosen, known));
}

Value::List TaskOptions::list(const std::string& key) const {
  const Value* const found = value(key);
  if (found == nullptr) return {};
  return found->is_list() ? found->as_list() : Value::List{*found};
}

std::vector<std::int64_t> TaskOptions::integers(const std::string& key) const {
  std::vector<std::int64_t> numbers;
  for (const Value& entry : list(key))
    numbers.push_back(read(key, [&](const Value&) { return entry.as_int(); }));
  return numbers;
}

std::vector<double> TaskOptions::numbers(const std::string& key) const {
  std::vector<double> numbers;
  for (const Value& entry : list(key))
    numbers.push_back(read(key, [&](const Value&) { return entry.as_double(); }));
  return numbers;
}

std::vector<std::string> TaskOptions::texts(const std::string& key) const {
  std::vector<std::string> texts;
  for (const Value& entry : list(key))
    texts.push_back(read(key, [&](const Value&) { return entry.as_string(); }));
  return texts;
}

namespace {

std::vector<std::string> outputs_of(const Model& model) {
  std::vector<std::string> names;
  for (const ValueInfo& output : model.graph.outputs) names.push_back(output.name);
  return names;
}

}  // namespace

void require_output(const TaskOptions& options, const Model& model, const std::string& name) {
  const std::vector<std::string> names = outputs_of(model);
  if (std::ranges::find(names, name) == names.end())
    throw InvalidInput(options.prefix() + unknown_name_message("output", name, names));
}

std::string only_output(const TaskOptions& options, const Model& model) {
  const std::vector<std::string> names = outputs_of(model);
  std::string given = options.text("output");
  if (!given.empty()) {
    require_output(options, model, given);
    return given;
  }
  if (names.size() == 1) return names.front();
  constexpr std::size_t kOutputsShown = 6;
  throw InvalidInput(
      fmt::format("{}the model has the outputs {}, expected the key 'output' to "
                  "name the one to read",
                  options.prefix(), some_of(names, kOutputsShown)));
}

Tensor truth_rows(const TaskOptions& options, const std::string& key, std::int64_t first,
                  std::int64_t count) {
  const std::string file = options.text(key);
  const Tensor all = load_array(file, key);
  const std::int64_t rows = all.shape().empty() ? 0 : all.shape()[0];
  if (rows < first + count) {
    options.refuse(key, fmt::format("'{}' has shape {}, expected a first axis of {} or more, one "
                                    "row for each sample",
                                    file, to_string(all.shape()), first + count));
  }
  return all.rows(first, count);
}

}  // namespace quantsearch
