#include "storage/trial_writer.h"

#include <fmt/core.h>

#include <array>
#include <cmath>
#include <utility>

#include "quantsearch/base/error.h"
#include "storage/distribution.h"
#include "storage/json.h"
#include "storage/trial_attributes.h"

namespace quantsearch {

namespace {

constexpr const char* kParameters = "trial_params";
constexpr const char* kParameterColumns = "trial_id, param_name, param_value, distribution_json";
constexpr const char* kAttributeColumns = "trial_id, key, value_json";
constexpr std::size_t kLongestName = 512;  // characters, in Optuna's columns

/// The values to write: none, or one for each goal.
std::vector<double> values_of(const Trial& trial, std::size_t goals) {
  std::vector<double> values = trial.objectives;
  if (values.empty() && trial.value) values = {*trial.value};
  const bool may_have = trial.state == TrialState::complete || trial.state == TrialState::pruned;
  const bool may_lack = trial.state != TrialState::complete;
  const bool fits = values.empty() ? may_lack : may_have && values.size() == goals;
  if (!fits) {
    throw InternalError(fmt::format("study: the {} trial {} has {} values, and the study {} goals",
                                    to_string(trial.state), trial.number, values.size(), goals));
  }
  for (const double value : values) {
    if (!std::isnan(value)) continue;
    throw InvalidInput(
        fmt::format("study: a value of trial {} is NaN, expected a number", trial.number));
  }
  return values;
}

/// The number that stands for a parameter of the point in the table.
double stored_number(const Point& point, const std::string& name,
                     const std::map<std::string, Distribution>& distributions) {
  const auto distribution = distributions.find(name);
  if (distribution == distributions.end()) {
    throw InvalidInput(fmt::format(
        "study: the point {} has a parameter '{}' without a distribution", to_string(point), name));
  }
  const auto number = number_of(point.at(name), distribution->second);
  if (number) return *number;
  throw InvalidInput(fmt::format("study: parameter '{}' is {}, expected a value of {}", name,
                                 write_json(point.at(name)), to_json(distribution->second)));
}

/// A value in the form of the tables: number and type.
std::pair<Cell, std::string> stored_value(double value) {
  if (std::isnan(value)) return {std::monostate(), "NAN"};
  if (std::isfinite(value)) return {value, "FINITE"};
  return {std::monostate(), value > 0 ? "INF_POS" : "INF_NEG"};
}

/// Puts the id before each row and adds them to the table.
void insert_rows(Database& database, const char* table, const char* columns, std::int64_t id,
                 std::vector<Row> rows) {
  for (Row& row : rows) row.insert(row.begin(), Cell(id));
  insert(database, table, columns, rows);
}

}  // namespace

const char* optuna_state(TrialState state) {
  switch (state) {
    case TrialState::running:
      return "RUNNING";
    case TrialState::complete:
      return "COMPLETE";
    case TrialState::pruned:
      return "PRUNED";
    case TrialState::failed:
    case TrialState::interrupted:
      return "FAIL";
  }
  throw InternalError("trial state without a name in Optuna");
}

void check_name(const std::string& what, const std::string& name) {
  if (!name.empty() && name.size() <= kLongestName && name.find('\0') == std::string::npos) return;
  throw InvalidInput(fmt::format("study: got a {} of {} bytes, expected 1 to {} without a zero",
                                 what, name.size(), kLongestName));
}

TrialWriter::TrialWriter(Database& database, std::int64_t study_id,
                         const StudyDescription& description)
    : database_(database),
      study_id_(study_id),
      goals_(description.goals.size()),
      distributions_(description.distributions) {
  for (const auto& [name, distribution] : distributions_) {
    json_of_.emplace(name, to_json(distribution));
  }
}

std::int64_t TrialWriter::next_number() {
  const std::array<Cell, 1> cells{study_id_};
  const auto last = database_.first(
      "SELECT number FROM trials WHERE study_id = $1 ORDER BY trial_id DESC LIMIT 1", cells);
  return last ? integer_in((*last)[0]) + 1 : 0;
}

bool TrialWriter::lock_running(std::int64_t id) {
  const std::array<Cell, 1> cells{id};
  const auto row = database_.first(fmt::format("SELECT state FROM trials WHERE trial_id = $1{}",
                                               for_update(database_.dialect())),
                                   cells);
  return row && text_in((*row)[0]) == "RUNNING";
}

std::int64_t TrialWriter::add(const Trial& trial) {
  const std::array<Cell, 3> cells{trial.number, study_id_, trial.seconds};
  const auto row = database_.first(
      fmt::format("INSERT INTO trials (number, study_id, state, datetime_start) VALUES ($1, $2, "
                  "'RUNNING', {}) RETURNING trial_id",
                  time_before_now(database_.dialect(), "$3")),
      cells);
  const std::int64_t id = integer_in(row.value()[0]);
  write_parameters(id, trial.point);
  return id;
}

std::int64_t TrialWriter::add_next(Trial& trial) {
  const std::array<Cell, 2> cells{study_id_, trial.seconds};
  const auto row = database_.first(
      fmt::format("INSERT INTO trials (number, study_id, state, datetime_start) VALUES (COALESCE(("
                  "SELECT number + 1 FROM trials WHERE study_id = $1 ORDER BY trial_id DESC LIMIT "
                  "1), 0), $1, 'RUNNING', {}) RETURNING trial_id, number",
                  time_before_now(database_.dialect(), "$2")),
      cells);
  const std::int64_t id = integer_in(row.value()[0]);
  trial.number = integer_in((*row)[1]);
  write_parameters(id, trial.point);
  return id;
}

void TrialWriter::begin_again(std::int64_t id, const Trial& trial) {
  const std::array<Cell, 1> cells{id};
  for (const char* table : {"trial_params", "trial_values", "trial_intermediate_values",
                            "trial_user_attributes", "trial_system_attributes"}) {
    database_.run(fmt::format("DELETE FROM {} WHERE trial_id = $1", table), cells);
  }
  const std::array<Cell, 2> begin{trial.seconds, id};
  database_.run(fmt::format("UPDATE trials SET datetime_start = {} WHERE trial_id = $2",
                            time_before_now(database_.dialect(), "$1")),
                begin);
  write_parameters(id, trial.point);
}

void TrialWriter::finish(std::int64_t id, const Trial& trial) {
  const std::vector<Row> values = value_rows(trial);
  const std::array<Cell, 2> cells{optuna_state(trial.state), id};
  database_.run(
      fmt::format("UPDATE trials SET state = $1, datetime_complete = {} WHERE trial_id = $2",
                  now(database_.dialect())),
      cells);
  insert_rows(database_, "trial_values", "trial_id, objective, value, value_type", id, values);
  insert_rows(database_, "trial_user_attributes", kAttributeColumns, id,
              user_attribute_rows(trial));
  insert_rows(database_, "trial_system_attributes", kAttributeColumns, id,
              system_attribute_rows(trial));
}

void TrialWriter::write_parameters(std::int64_t id, const Point& point) {
  insert_rows(database_, kParameters, kParameterColumns, id, parameter_rows(point));
}

std::vector<Row> TrialWriter::parameter_rows(const Point& point) const {
  std::vector<Row> rows;
  for (const auto& [name, value] : point)
    rows.push_back({name, stored_number(point, name, distributions_), json_of_.at(name)});
  return rows;
}

void TrialWriter::write_by_run(std::int64_t id, const DefineByRunTrial& defined) {
  std::vector<Row> rows;
  for (const auto& [name, value] : defined.trial.point) {
    check_name("name of a parameter", name);
    const double number = stored_number(defined.trial.point, name, defined.distributions);
    rows.push_back({id, name, number, to_json(defined.distributions.at(name))});
  }
  insert(database_, kParameters, kParameterColumns, rows);
  std::vector<Row> steps;
  for (const auto& [step, value] : defined.intermediate) {
    const auto [cell, type] = stored_value(value);
    steps.push_back({id, step, cell, type});
  }
  insert(database_, "trial_intermediate_values",
         "trial_id, step, intermediate_value, intermediate_value_type", steps);
}

std::vector<Row> TrialWriter::value_rows(const Trial& trial) const {
  if (trial.state == TrialState::running)
    throw InternalError(fmt::format("study: trial {} ends but is still running", trial.number));
  std::vector<Row> rows;
  for (const double value : values_of(trial, goals_)) {
    const auto objective = static_cast<std::int64_t>(rows.size());
    const auto [cell, type] = stored_value(value);
    rows.push_back({objective, cell, type});
  }
  return rows;
}

std::vector<Row> TrialWriter::user_attribute_rows(const Trial& trial) {
  std::vector<Row> rows;
  for (StudyAttribute& attribute : attributes_of(trial)) {
    check_name("key of the details", attribute.key);
    rows.push_back({std::move(attribute.key), std::move(attribute.json)});
  }
  return rows;
}

std::vector<Row> TrialWriter::system_attribute_rows(const Trial& trial) {
  if (trial.constraints.empty()) return {};
  // Writes the list and not the newer key of each constraint: Optuna merges both, and the dashboard
  // reads the list.
  const Value::List constraints(trial.constraints.begin(), trial.constraints.end());
  return {{"constraints", write_json(constraints)}};
}

}  // namespace quantsearch
