#include "storage/trial_record.h"

#include <fmt/core.h>

#include <charconv>
#include <utility>

#include "quantsearch/base/error.h"
#include "quantsearch/base/hash.h"
#include "storage/distribution.h"
#include "storage/json.h"

namespace quantsearch {

namespace {

std::string key_of(const std::map<std::string, Distribution>& distributions) {
  KeyBuilder key;
  for (const auto& [name, distribution] : distributions) {
    key.add(name).add(static_cast<std::int64_t>(distribution.index()));
    // Bounds and steps may change within a study, and the number of a value does not depend on
    // them.
    if (std::holds_alternative<std::vector<Value>>(distribution)) key.add(to_json(distribution));
  }
  return key.finish().hex().substr(0, 16);
}

/// Takes a record apart. Every function returns false, or nullopt, where the text is another one.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool take(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  /// Leaves out a string of JSON.
  bool skip_string() {
    if (!take("\"")) return false;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      if (rest_[i] == '\\') {
        ++i;
      } else if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return true;
      }
    }
    return false;
  }
  std::optional<double> number() {
    double number = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (error != std::errc{}) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return number;
  }
  std::optional<std::vector<double>> numbers() {
    std::vector<double> all;
    if (!take("[")) return std::nullopt;
    while (!take("]")) {
      if (!all.empty() && !take(",")) return std::nullopt;
      const auto next = number();
      if (!next) return std::nullopt;
      all.push_back(*next);
    }
    return all;
  }
  /// The letters up to `end`, which is left out too.
  std::optional<std::string_view> until(std::string_view end) {
    const std::size_t at = rest_.find(end);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view taken = rest_.substr(0, at);
    rest_.remove_prefix(at + end.size());
    return taken;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

bool read_point(Scanner& text, const std::map<std::string, Distribution>& distributions,
                Point& point) {
  if (!text.take("[")) return false;
  bool is_first = true;
  for (const auto& [name, distribution] : distributions) {
    if (!std::exchange(is_first, false) && !text.take(",")) return false;
    if (text.take("null")) continue;
    const auto number = text.number();
    if (!number) return false;
    point.insert_or_assign(name, value_of(*number, distribution, "study"));
  }
  return text.take("]");
}

/// Reads what follows the point of a finished trial.
bool read_results(Scanner& text, TrialRecords::Read& read) {
  if (!text.take(",\"")) return false;
  const auto name = text.until("\",");
  const auto state = name ? parse_trial_state(std::string(*name)) : std::nullopt;
  auto values = state ? text.numbers() : std::nullopt;
  if (!values || !text.take(",")) return false;
  auto constraints = text.numbers();
  if (!constraints || !text.take(",")) return false;
  const auto candidate = text.number();
  if (!candidate || !text.take(",")) return false;
  const auto seconds = text.number();
  if (!seconds || !text.take(",")) return false;
  Trial& trial = read.trial;
  trial.state = *state;
  if (!values->empty()) trial.value = values->front();
  if (values->size() > 1) trial.objectives = *std::move(values);
  trial.constraints = *std::move(constraints);
  trial.is_candidate = *candidate != 0;
  trial.seconds = *seconds;
  read.is_abridged = text.take("1,");
  if (!read.is_abridged && !text.take("0,")) return false;
  // Reason and details are rare and arbitrary JSON.
  if (text.take("\"\",null]")) return true;
  const Value last = read_json("[" + std::string(text.rest()), "record of a trial");
  if (!last.is_list() || last.as_list().size() != 2 || !last.as_list()[0].is_string()) return false;
  trial.reason = last.as_list()[0].as_string();
  trial.details = last.as_list()[1];
  return true;
}

}  // namespace

TrialRecords::TrialRecords(const std::map<std::string, Distribution>& distributions,
                           std::string worker)
    : distributions_(distributions), worker_(std::move(worker)), space_(key_of(distributions)) {}

std::string TrialRecords::running(const Point& point) const {
  std::string text = fmt::format("[{},\"{}\",[", worker_, space_);
  std::size_t written = 0;
  for (const auto& [name, distribution] : distributions_) {
    if (text.back() != '[') text += ',';
    const auto value = point.find(name);
    const auto number =
        value == point.end() ? std::nullopt : number_of(value->second, distribution);
    if (number) ++written;
    text += number ? write_json(*number) : "null";
  }
  // A trial that was taken over may have a parameter that is no longer one.
  return written == point.size() ? text + "]]" : own_beginning() + "null]";
}

std::string TrialRecords::finished(const Trial& trial) const {
  std::vector<double> values = trial.objectives;
  if (values.empty() && trial.value) values = {*trial.value};
  std::size_t left_out = 0;
  std::string details = write_json(trial.details);
  if (details.size() > kLongestDetail) {
    Value kept(Value::Map{});
    if (trial.details.is_map()) {
      for (const auto& [key, value] : trial.details.as_map()) {
        if (write_json(value).size() <= kLongestDetail) {
          kept.set(key, value);
        } else {
          ++left_out;
        }
      }
    } else {
      ++left_out;
    }
    details = write_json(kept);
  }
  std::string text = running(trial.point);
  if (text == own_beginning() + "null]") return text;
  text.pop_back();
  const auto list = [](const std::vector<double>& numbers) {
    return write_json(Value::List(numbers.begin(), numbers.end()));
  };
  return text + fmt::format(",\"{}\",{},{},{:d},{},{:d},{},{}]", to_string(trial.state),
                            list(values), list(trial.constraints), trial.is_candidate,
                            write_json(trial.seconds), left_out > 0, write_json(trial.reason),
                            details);
}

std::optional<TrialRecords::Read> TrialRecords::read(const std::string& text) const {
  Scanner scanner(text);
  Read read;
  if (!scanner.take("[") || !scanner.skip_string() || !scanner.take(",\"" + space_ + "\",") ||
      !read_point(scanner, distributions_, read.trial.point)) {
    return std::nullopt;
  }
  if (scanner.take("]"))
    return scanner.rest().empty() ? std::optional(std::move(read)) : std::nullopt;
  if (!read_results(scanner, read)) return std::nullopt;
  return read;
}

}  // namespace quantsearch
