// Makes a configuration from a configuration file and the values of the command line.

#include <fmt/core.h>

#include <algorithm>

#include "autosearch/evaluator_key.h"
#include "autosearch/search_keys.h"
#include "autosearch/search_values.h"
#include "autosearch/space_file.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"

namespace quantsearch {

namespace {

/// The path of a key: "search_stop_condition.time_limit" is a member of a mapping.
struct KeyPath {
  explicit KeyPath(const std::string& name)
      : top(name.substr(0, name.find('.'))),
        member(name.size() > top.size() ? name.substr(top.size() + 1) : "") {}
  std::string top;
  std::string member;
};

void require_known_keys(const Value& file) {
  if (!file.is_map())
    throw InvalidInput(
        fmt::format("configuration: got a {}, expected a mapping of keys", file.kind()));
  std::vector<std::string> known;
  std::map<std::string, std::vector<std::string>> members;
  for (const KeyReader& row : key_readers()) {
    const KeyPath path(row.key.name);
    if (path.member.empty() || !members.contains(path.top)) known.push_back(path.top);
    if (!path.member.empty()) members[path.top].push_back(path.member);
  }
  for (const auto& [key, value] : file.as_map()) {
    if (key.starts_with("search_space_")) continue;  // space_from_file() checks whether it is used
    if (std::ranges::find(known, key) == known.end())
      throw InvalidInput("configuration: " + unknown_name_message("key", key, known));
    const auto mapping = members.find(key);
    if (mapping == members.end() || value.is_null()) continue;
    try {
      require_known("stop condition", value, mapping->second);
    } catch (const InvalidInput& error) {
      throw InvalidInput(fmt::format("configuration: '{}': {}", key, error.what()));
    }
  }
}

const Value* in_file(const Value& file, const std::string& name) {
  const KeyPath path(name);
  const Value* const value = file.find(path.top);
  return value == nullptr || path.member.empty() ? value : value->find(path.member);
}

/// The value of a key, and the prefix of messages about it.
struct GivenValue {
  Value value;
  std::string prefix;
};

std::optional<GivenValue> given_value(const Value& file, const KeyReader& row,
                                      const std::vector<CommandLineValue>& over) {
  const Value* const written = in_file(file, row.key.name);
  const auto laid_over = std::ranges::find(over, row.key.name, &CommandLineValue::key);
  if (laid_over != over.end()) {
    const bool both = written != nullptr && row.overlay != nullptr;
    return GivenValue{.value = both ? row.overlay(*written, laid_over->value) : laid_over->value,
                      .prefix = laid_over->flag + ": "};
  }
  if (written == nullptr) return std::nullopt;
  // The messages of the options already name them.
  return GivenValue{.value = *written,
                    .prefix = row.key.name == "quantization_config"
                                  ? ""
                                  : fmt::format("configuration: '{}': ", row.key.name)};
}

template <typename Read>
void with_prefix(const std::string& prefix, const Read& read) {
  try {
    read();
  } catch (const InvalidInput& error) {
    throw InvalidInput(prefix + error.what());
  } catch (const Unsupported& error) {
    throw Unsupported(prefix + error.what());
  }
}

/// Without a quantization_config the target determines the base; a user's space starts from the
/// plain defaults.
void set_target(AutoSearchConfig& config, const std::string& target, bool is_plain) {
  const bool for_npu = is_plain && target == "npu-cnn";
  config.base = with_target(
      for_npu || (is_plain && !config.space) ? std::nullopt : std::optional(config.base), target);
}

}  // namespace

AutoSearchConfig parse_search_config(const Value& file, const std::vector<CommandLineValue>& over,
                                     OwnEvaluator evaluator) {
  require_known_keys(file);
  AutoSearchConfig config;
  for (const KeyReader& row : key_readers()) {
    if (row.read == nullptr) continue;
    if (const auto given = given_value(file, row, over))
      with_prefix(given->prefix, [&] { row.read(config, given->value); });
  }
  const auto objectives = std::ranges::find(key_readers(), "search_metric",
                                            [](const KeyReader& row) { return row.key.name; });
  const auto given = given_value(file, *objectives, over);
  if (given && evaluator == OwnEvaluator::absent)
    with_prefix(given->prefix, [&] { require_known_scores(config.goals); });
  config.space = space_from_file(file);
  // A user's space starts from the plain defaults, because the settings of the default preset would
  // exclude some of its points.
  const bool is_plain = file.find("quantization_config") == nullptr;
  if (is_plain && !config.space) config.base = settings_from(Value());
  const auto target = std::ranges::find(over, "target", &CommandLineValue::key);
  if (target != over.end()) {
    config.base.erase("target");
    with_prefix(target->flag + ": ",
                [&] { set_target(config, target->value.as_string(), is_plain); });
  } else if (const Value* const written = file.find("target")) {
    set_target(config, written->as_string(), is_plain);
  }
  return config;
}

Settings parse_quantization_config(const Value& file) { return parse_search_config(file).base; }

}  // namespace quantsearch
