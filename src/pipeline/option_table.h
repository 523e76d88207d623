#pragma once

// One row per option. Rows are made by small factories that know how a kind of value is checked.

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
  /// Checked and in canonical form. Throws InvalidInput or Unsupported without the option's name.
  std::function<Value(const Value&)> canonical;
  /// Sets its field; gets canonical values only.
  std::function<void(QuantizationConfig&, const Value&)> apply;
  /// Empty: always has an effect.
  std::function<bool(const Settings&)> matters = {};
};

/// A name that is known but does nothing here, with the reason. `accepted` values are taken
/// silently, others refused.
struct Foreign {
  std::string name;
  // Empty: any value is accepted, the option is a hint that is not needed.
  std::vector<Value> accepted;
  std::string reason;
};

/// Built options, in the order of the documentation.
[[nodiscard]] const std::vector<Option>& table();
[[nodiscard]] const Option* find(const std::string& name);
/// Options of methods that are not built yet, and names that have no meaning here.
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
/// low < value <= high.
[[nodiscard]] std::function<Value(const Value&)> number_above(double low, double high);
[[nodiscard]] std::function<Value(const Value&)> list_of_strings();
[[nodiscard]] std::function<Value(const Value&)> list_of_numbers_above(double low, double high);
/// The value may also be null (absent).
[[nodiscard]] std::function<Value(const Value&)> optional(std::function<Value(const Value&)> inner);

[[nodiscard]] std::vector<std::string> strings_of(const Value& list);
/// QInt8, QUInt8, QInt16, QUInt16, and QInt32, which only a bias can have.
[[nodiscard]] std::function<Value(const Value&)> override_type();
/// "QInt8" -> int8.
[[nodiscard]] DataType data_type_named(const std::string& name);

/// "QInt8", "QUInt8", "QInt16", "QUInt16" and Quark's other spellings of them.
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

/// True when a step of fine-tuning asks for more samples than are tuned on.
[[nodiscard]] bool batch_exceeds(const Settings& settings, std::int64_t samples);
/// What several options of mixed precision decide together.
void finish_precision(QuantizationConfig& config, const Settings& settings);
/// Why the target and enable_npu_cnn exclude each other.
[[nodiscard]] std::optional<std::string> target_contradiction(const Settings& settings);
/// Why its options exclude each other.
[[nodiscard]] std::optional<std::string> precision_contradiction(const Settings& settings);
/// The value of `node_formats` that says this.
[[nodiscard]] Value node_formats_value(const std::map<std::string, NodeFormat>& formats);

}  // namespace quantsearch::options
