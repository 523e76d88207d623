#include "storage/study_table.h"

#include <fmt/core.h>

#include <array>

#include "quantsearch/base/error.h"
#include "storage/distribution.h"
#include "storage/json.h"
#include "storage/schema.h"
#include "storage/trial_writer.h"

namespace quantsearch {

namespace {

constexpr const char* kUserAttributes = "study_user_attributes";
const std::string kDecision = "quantsearch:";                 // prefix of user attributes
constexpr const char* kFingerprint = "fingerprint";           // user attribute
constexpr const char* kInWords = "inputs";                    // user attribute
constexpr const char* kConstraintNames = "constraint_names";  // user attribute
constexpr const char* kMetricNames = "study:metric_names";    // Optuna's system attribute

const char* direction_of(Goal goal) {
  switch (goal) {
    case Goal::minimize:
      return "MINIMIZE";
    case Goal::maximize:
      return "MAXIMIZE";
  }
  throw InternalError("goal without a direction");
}

Goal goal_of(const std::string& direction, const std::string& name) {
  if (direction == "MINIMIZE") return Goal::minimize;
  if (direction == "MAXIMIZE") return Goal::maximize;
  throw InvalidInput(
      fmt::format("{}: got direction '{}', expected MINIMIZE or MAXIMIZE", name, direction));
}

std::string text_of(const std::vector<Goal>& goals) {
  std::string text;
  for (const Goal goal : goals)
    text += (text.empty() ? "" : ", ") + std::string(direction_of(goal));
  return text;
}

Value list_of(const std::vector<std::string>& names) {
  return Value::List(names.begin(), names.end());
}

/// An attribute of the study; null when it is absent.
Value attribute(Database& database, std::int64_t study, const char* table, const char* key) {
  const std::array<Cell, 2> cells{study, key};
  const auto row = database.first(
      fmt::format("SELECT value_json FROM {} WHERE study_id = $1 AND key = $2", table), cells);
  return row ? read_json(text_in((*row)[0]), database.name()) : Value();
}

void set_attribute(Database& database, std::int64_t study, const char* table, const char* key,
                   const Value& value) {
  const std::array<Cell, 3> cells{study, key, write_json(value)};
  database.run(
      fmt::format("INSERT INTO {} (study_id, key, value_json) VALUES ($1, $2, $3) ON "
                  "CONFLICT (study_id, key) DO UPDATE SET value_json = excluded.value_json",
                  table),
      cells);
}

/// The text for a member of the fingerprint; null when there is none.
const Value* words_for(const Identity& identity, const std::string& key) {
  const Value* const words = identity.in_words.find(key);
  return words != nullptr && words->is_string() ? words : nullptr;
}

/// A member of the fingerprint in words, where the studies have them.
std::string text_of(const Identity& identity, const Identity& other, const std::string& key) {
  if (const Value* const words = words_for(identity, key)) return words->as_string();
  const Value* const value = identity.fingerprint.find(key);
  if (value == nullptr) return "absent";
  return words_for(other, key) == nullptr ? write_json(*value)
                                          : "another one, which this older study does not name";
}

class Opening {
 public:
  Opening(Database& database, const StudyDescription& description)
      : database_(database), description_(description) {}

  std::int64_t run(Database::Use use) {
    Transaction transaction(database_, Database::Access::write);
    ensure_schema(database_);
    auto found = read_studies(database_, description_.name);
    const bool is_new = found.empty();
    study_ = is_new ? create() : found.front().id;
    if (!database_.claim(study_, use)) {
      throw IoError(fmt::format(
          "{} is in use by another search; wait for it, or choose another one{}", where(),
          use == Database::Use::alone ? "" : ", or let every search share it"));
    }
    if (!is_new) check_existing(found.front().summary);
    set_attribute(database_, study_, kUserAttributes, kFingerprint, fingerprint());
    if (description_.in_words.is_map())
      set_attribute(database_, study_, kUserAttributes, kInWords, description_.in_words);
    if (!description_.constraint_names.empty()) {
      set_attribute(database_, study_, kUserAttributes, kConstraintNames,
                    list_of(description_.constraint_names));
    }
    if (!description_.objective_names.empty()) {
      set_attribute(database_, study_, "study_system_attributes", kMetricNames,
                    list_of(description_.objective_names));
    }
    transaction.commit();
    return study_;
  }

 private:
  [[nodiscard]] std::string where() const {
    return fmt::format("study '{}' in {}", description_.name, database_.name());
  }
  [[nodiscard]] Value fingerprint() const {
    return description_.fingerprint.is_null() ? Value(Value::Map{}) : description_.fingerprint;
  }

  std::int64_t create() {
    const std::array<Cell, 1> name{description_.name};
    const auto row =
        database_.first("INSERT INTO studies (study_name) VALUES ($1) RETURNING study_id", name);
    const std::int64_t study = integer_in(row.value()[0]);
    std::vector<Row> directions;
    for (const Goal goal : description_.goals) {
      directions.push_back(
          {direction_of(goal), study, static_cast<std::int64_t>(directions.size())});
    }
    insert(database_, "study_directions", "direction, study_id, objective", directions);
    return study;
  }

  void check_existing(const StudySummary& before) {
    const Value now = fingerprint();
    if (!before.fingerprint.is_null() && !(before.fingerprint == now)) {
      throw InvalidInput(fmt::format(
          "{} belongs to another search: {}; resume with what it was started with, or "
          "choose another one",
          where(),
          differences({.fingerprint = now, .in_words = description_.in_words},
                      {.fingerprint = before.fingerprint, .in_words = before.in_words})));
    }
    if (before.goals != description_.goals) {
      throw InvalidInput(fmt::format("{}: got the goals {}, expected {}; choose another one",
                                     where(), text_of(before.goals), text_of(description_.goals)));
    }
    check_distributions();
    check_none_waits();
  }

  void check_distributions() {
    const std::array<Cell, 1> cells{study_};
    database_.run(
        "SELECT DISTINCT c.param_name, c.distribution_json FROM trial_params c JOIN trials t ON "
        "t.trial_id = c.trial_id WHERE t.study_id = $1",
        cells, [&](const Row& row) {
          const auto ours = description_.distributions.find(text_in(row[0]));
          if (ours == description_.distributions.end()) return;  // no longer a parameter
          const std::string& json = text_in(row[1]);
          if (may_follow(parse_distribution(json, database_.name()), ours->second)) return;
          throw InvalidInput(fmt::format(
              "{}: parameter '{}' has the distribution {}, expected {}; resume with the "
              "space it was started with, or choose another one",
              where(), ours->first, json, to_json(ours->second)));
        });
  }

  void check_none_waits() {
    const std::array<Cell, 1> cells{study_};
    const auto row = database_.first(
        "SELECT count(*) FROM trials WHERE study_id = $1 AND state = 'WAITING'", cells);
    if (integer_in(row.value()[0]) == 0) return;
    throw InvalidInput(fmt::format("{}: {} trials wait for Optuna to run them; let it do so first",
                                   where(), integer_in((*row)[0])));
  }

  Database& database_;
  const StudyDescription& description_;
  std::int64_t study_ = 0;
};

}  // namespace

void lock_study(Database& database, std::int64_t study) {
  const std::array<Cell, 1> cells{study};
  database.run(fmt::format("SELECT study_id FROM studies WHERE study_id = $1{}",
                           for_update(database.dialect())),
               cells);
}

Value read_decision(Database& database, std::int64_t study, const std::string& key) {
  return attribute(database, study, kUserAttributes, (kDecision + key).c_str());
}

Value keep_decision(Database& database, std::int64_t study, const std::string& key,
                    const Value& value) {
  Transaction transaction(database, Database::Access::write);
  const std::array<Cell, 3> cells{study, kDecision + key, write_json(value)};
  database.run(fmt::format("INSERT INTO {} (study_id, key, value_json) VALUES ($1, $2, $3) ON "
                           "CONFLICT (study_id, key) DO NOTHING",
                           kUserAttributes),
               cells);
  Value kept = read_decision(database, study, key);
  transaction.commit();
  return kept;
}

std::string differences(const Identity& now, const Identity& before) {
  if (!before.fingerprint.is_map())
    return fmt::format("its fingerprint is {}, no mapping", write_json(before.fingerprint));
  std::string all;
  const auto add = [&](const std::string& key) {
    const std::string is = text_of(now, before, key);
    const std::string was = text_of(before, now, key);
    all += all.empty() ? "" : "; ";
    all += is == was ? fmt::format("'{}' is {}, but its content has changed", key, is)
                     : fmt::format("'{}' is {}, was {}", key, is, was);
  };
  for (const auto& [key, value] : now.fingerprint.as_map()) {
    const Value* const old = before.fingerprint.find(key);
    if (old == nullptr || !(*old == value)) add(key);
  }
  for (const auto& [key, value] : before.fingerprint.as_map()) {
    if (now.fingerprint.find(key) == nullptr) add(key);
  }
  return all;
}

void check(const StudyDescription& description) {
  check_name("name of a study", description.name);
  if (description.goals.empty()) {
    throw InvalidInput(
        fmt::format("study '{}' has no goals, expected at least one", description.name));
  }
  if (!description.objective_names.empty() &&
      description.objective_names.size() != description.goals.size()) {
    throw InvalidInput(fmt::format("study '{}': got {} names of objectives, expected {}",
                                   description.name, description.objective_names.size(),
                                   description.goals.size()));
  }
  if (!description.fingerprint.is_null() && !description.fingerprint.is_map()) {
    throw InvalidInput(fmt::format("study '{}': got a fingerprint of kind '{}', expected a mapping",
                                   description.name, description.fingerprint.kind()));
  }
  for (const auto& [name, distribution] : description.distributions) {
    check_name("name of a parameter", name);
    check(name, distribution);
  }
}

std::int64_t open_study(Database& database, const StudyDescription& description,
                        Database::Use use) {
  database.set_durable(true);
  return Opening(database, description).run(use);
}

std::vector<StudyRow> read_studies(Database& database, const std::optional<std::string>& name) {
  std::vector<StudyRow> studies;
  const std::vector<Cell> filter = name ? std::vector<Cell>{*name} : std::vector<Cell>{};
  database.run(
      fmt::format("SELECT study_id, study_name FROM studies {} ORDER BY study_id",
                  name ? "WHERE study_name = $1" : ""),
      filter, [&](const Row& row) {
        studies.push_back({.id = integer_in(row[0]), .summary = {.name = text_in(row[1])}});
      });
  for (StudyRow& study : studies) {
    StudySummary& summary = study.summary;
    const std::array<Cell, 1> id{study.id};
    database.run("SELECT direction FROM study_directions WHERE study_id = $1 ORDER BY objective",
                 id, [&](const Row& row) {
                   summary.goals.push_back(goal_of(text_in(row[0]), database.name()));
                 });
    const Value names = attribute(database, study.id, "study_system_attributes", kMetricNames);
    if (names.is_list()) {
      for (const Value& one : names.as_list()) summary.objective_names.push_back(one.as_string());
    }
    summary.fingerprint = attribute(database, study.id, kUserAttributes, kFingerprint);
    summary.in_words = attribute(database, study.id, kUserAttributes, kInWords);
    const auto count = database.first("SELECT count(*) FROM trials WHERE study_id = $1", id);
    summary.trials = integer_in(count.value()[0]);
  }
  return studies;
}

StudyRow study_named(Database& database, const std::string& name) {
  check_schema(database);
  auto found = read_studies(database, name);
  if (found.empty()) throw InvalidInput(fmt::format("{} has no study '{}'", database.name(), name));
  return std::move(found.front());
}

}  // namespace quantsearch
