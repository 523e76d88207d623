#include "storage/trial_attributes.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "quantsearch/base/error.h"
#include "storage/json.h"

namespace quantsearch {

namespace {

constexpr const char* kState = "state";
constexpr const char* kReason = "reason";
constexpr const char* kIsCandidate = "is_candidate";
constexpr const char* kSeconds = "seconds";
constexpr const char* kDetails = "details";  // used when the details are not a mapping
constexpr std::array<std::string_view, 5> kOurs{kState, kReason, kIsCandidate, kSeconds, kDetails};
constexpr std::string_view kDetailPrefix = "details:";  // of a detail whose name is one of ours

std::string key_of_detail(const std::string& key) {
  const bool collides =
      std::ranges::find(kOurs, key) != kOurs.end() || key.starts_with(kDetailPrefix);
  return collides ? std::string(kDetailPrefix) + key : key;
}

/// Reads the attribute and returns true when it is one of ours.
bool take_own(Trial& trial, const std::string& key, const Value& value) {
  if (key == kState && value.is_string()) {
    const auto state = parse_trial_state(value.as_string());
    if (state != TrialState::failed && state != TrialState::interrupted) return false;
    if (trial.state == TrialState::failed) trial.state = *state;
  } else if (key == kReason && value.is_string()) {
    trial.reason = value.as_string();
  } else if (key == kIsCandidate && value.is_bool()) {
    trial.is_candidate = value.as_bool();
  } else if (key == kSeconds && value.is_number()) {
    trial.seconds = value.as_double();
  } else if (key == kDetails) {
    trial.details = value;
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::vector<StudyAttribute> attributes_of(const Trial& trial) {
  std::vector<StudyAttribute> all;
  const auto add = [&](std::string key, const Value& value) {
    all.push_back({std::move(key), write_json(value)});
  };
  if (trial.state == TrialState::failed || trial.state == TrialState::interrupted) {
    add(kState, to_string(trial.state));
  }
  if (!trial.reason.empty()) add(kReason, trial.reason);
  add(kIsCandidate, trial.is_candidate);
  add(kSeconds, trial.seconds);
  if (trial.details.is_map() && !trial.details.as_map().empty()) {
    for (const auto& [key, value] : trial.details.as_map()) add(key_of_detail(key), value);
  } else if (!trial.details.is_null()) {
    add(kDetails, trial.details);
  }
  return all;
}

void take_attribute(Trial& trial, const StudyAttribute& attribute) {
  Value value;
  try {
    value = read_json(attribute.json, "attribute");
  } catch (const InvalidInput&) {
    value = attribute.json;
  }
  if (take_own(trial, attribute.key, value)) return;
  const bool is_prefixed = attribute.key.starts_with(kDetailPrefix);
  if (!trial.details.is_map()) trial.details = Value::Map{};
  trial.details.set(is_prefixed ? attribute.key.substr(kDetailPrefix.size()) : attribute.key,
                    std::move(value));
}

}  // namespace quantsearch
