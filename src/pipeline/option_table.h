#pragma once

// One row per option. Rows are made by small factories, with a check for each kind of value.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/pipeline/settings.h"

namespace quantsearch::options {

struct Option {
  std::string name;
  std::string meaning;
  Value default_value;
  bool is_list = false;
  /// Checks a value and returns it in canonical form. Throws InvalidInput or Unsupported; the
  /// message does not contain the option's name.
  std::function<Value(const Value&)> canonical;
  /// Sets the field of the option. The value is canonical.
  std::function<void(QuantizationConfig&, const Value&)> apply;
  /// The condition under which the option has an effect; empty: always.
  std::function<bool(const Settings&)> matters = {};
};

/// A known name without an effect here, with the reason. Values in `accepted` are ignored, others
/// are refused.
struct Foreign {
  std::string name;
  // Empty: the option is a hint that is not needed, and any value is accepted.
  std::vector<Value> accepted;
  std::string reason;
};

/// The implemented options, in the order of the documentation.
[[nodiscard]] const std::vector<Option>& table();
[[nodiscard]] const Option* find(const std::string& name);
/// Options of methods that are not implemented, and names that have no meaning here.
[[nodiscard]] const std::vector<Foreign>& foreign_table();
[[nodiscard]] const Foreign* find_foreign(const std::string& name);

/// Accepted spellings of one canonical name, compared without case.
struct NamedChoice {
  std::string canonical;
  std::vector<std::string> aliases;
};
[[nodiscard]] std::function<Value(const Value&)> one_of(
    std::vector<NamedChoice> choices, std::map<std::string, std::string> refused = {});
[[nodiscard]] std::function<Value(const Value&)> boolean();
[[nodiscard]] std::function<Value(const Value&)> integer(std::int64_t low, std::int64_t high);
/// low <= value <= high.
[[nodiscard]] std::function<Value(const Value&)> number_from(double low, double high);
/// low < value <= high.
[[nodiscard]] std::function<Value(const Value&)> number_above(double low, double high);
[[nodiscard]] std::function<Value(const Value&)> list_of_strings();
[[nodiscard]] std::function<Value(const Value&)> list_of_numbers_above(double low, double high);
/// The value may also be null (absent).
[[nodiscard]] std::function<Value(const Value&)> optional(std::function<Value(const Value&)> inner);

[[nodiscard]] std::vector<std::string> strings_of(const Value& list);
/// Checks a type: QInt8, QUInt8, QInt16, QUInt16, or QInt32, which only a bias can have.
[[nodiscard]] std::function<Value(const Value&)> override_type();
/// "QInt8" -> int8.
[[nodiscard]] DataType data_type_named(const std::string& name);

/// Checks a type: "QInt8", "QUInt8", "QInt16", "QUInt16" or one of Quark's other spellings of them.
[[nodiscard]] std::function<Value(const Value&)> quant_type();
// Parts of the table, one file each.
void add_type_options(std::vector<Option>& table);
void add_storage_options(std::vector<Option>& table);
void add_format_options(std::vector<Option>& table);
void add_precision_options(std::vector<Option>& table);
void add_range_options(std::vector<Option>& table);
void add_npu_options(std::vector<Option>& table);
void add_target_option(std::vector<Option>& table);
void add_override_options(std::vector<Option>& table);
void add_scope_options(std::vector<Option>& table);
void add_finetune_options(std::vector<Option>& table);
void add_graph_options(std::vector<Option>& table);
void add_equalize_options(std::vector<Option>& table);

/// True when the batch of a fine-tuning step is larger than the number of samples it tunes on.
[[nodiscard]] bool batch_exceeds(const Settings& settings, std::int64_t samples);
/// Sets the fields that depend on several options of mixed precision.
void finish_precision(QuantizationConfig& config, const Settings& settings);
/// Returns why the target and enable_npu_cnn contradict each other; nullopt when they do not.
[[nodiscard]] std::optional<std::string> target_contradiction(const Settings& settings);
/// Returns why the options of mixed precision contradict each other; nullopt when they do not.
[[nodiscard]] std::optional<std::string> precision_contradiction(const Settings& settings);
/// Returns the value of the option `node_formats` for these formats.
[[nodiscard]] Value node_formats_value(const std::map<std::string, NodeFormat>& formats);

}  // namespace quantsearch::options
