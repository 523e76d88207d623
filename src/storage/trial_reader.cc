#include "storage/trial_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "quantsearch/base/error.h"
#include "storage/distribution.h"
#include "storage/json.h"
#include "storage/trial_attributes.h"

namespace quantsearch {

namespace {

/// After the column of the study: keeps the database from walking through all trials of the study
/// where a few are asked for by their ids. The plan of a prepared statement is made once, when the
/// tables are small, and an index of the study seems as good then.
constexpr const char* kByTrial = " + 0";

TrialState state_of(const std::string& name) {
  if (name == "COMPLETE") return TrialState::complete;
  if (name == "PRUNED") return TrialState::pruned;
  if (name == "FAIL") return TrialState::failed;
  if (name == "RUNNING" || name == "WAITING") return TrialState::running;
  throw InvalidInput(
      fmt::format("study database: got state '{}', expected the state of a trial", name));
}

double objective_of(const Cell& value, const std::string& type) {
  if (type == "INF_POS") return std::numeric_limits<double>::infinity();
  if (type == "INF_NEG") return -std::numeric_limits<double>::infinity();
  return number_in(value);
}

}  // namespace

std::vector<StoredTrial> TrialReader::read(std::int64_t from, std::int64_t to) {
  std::vector<StoredTrial> all;
  visit(from, to, [&all](StoredTrial&& stored) { all.push_back(std::move(stored)); });
  return all;
}

void TrialReader::visit(std::int64_t from, std::int64_t to,
                        const std::function<void(StoredTrial&& stored)>& take) {
  while (true) {
    std::vector<StoredTrial> part = read_part(from, to);
    if (part.empty()) return;
    from = part.back().id + 1;
    for (StoredTrial& stored : part) take(std::move(stored));
  }
}

std::vector<StoredTrial> TrialReader::read_part(std::int64_t from, std::int64_t to) {
  // A driver may hold all rows of a query in memory.
  constexpr std::int64_t kPart = 4096;
  if (from > to) return {};
  range_ = {study_id_, from, to};
  read_heads(kPart);
  if (trials_.empty()) return {};
  read_parameters();
  read_values();
  read_user_attributes();
  read_constraints();
  if (extent_ == Extent::everything) read_intermediate_values();
  return std::exchange(trials_, {});
}

std::vector<StoredTrial> TrialReader::read_begun(std::int64_t from) {
  range_ = {study_id_, from, std::numeric_limits<std::int64_t>::max()};
  read_heads(std::numeric_limits<std::int64_t>::max());
  if (!trials_.empty()) read_parameters();
  for (StoredTrial& stored : trials_) stored.trial.state = TrialState::running;
  return std::exchange(trials_, {});
}

void TrialReader::read_heads(std::int64_t most) {
  trials_.clear();
  const std::array<Cell, 4> cells{range_[0], range_[1], range_[2], most};
  const std::string sql = fmt::format(
      "SELECT trial_id, number, state, {} FROM trials WHERE study_id{} = $1 AND trial_id "
      ">= CAST($2 AS BIGINT) AND trial_id <= CAST($3 AS BIGINT) ORDER BY trial_id LIMIT CAST($4 AS "
      "BIGINT)",
      seconds_between(database_.dialect(), "datetime_start", "datetime_complete"),
      integer_in(range_[1]) > 0 ? kByTrial : "");
  database_.run(sql, cells, [&](const Row& row) {
    StoredTrial stored;
    stored.id = integer_in(row[0]);
    stored.trial.number = integer_in(row[1]);
    stored.trial.state = state_of(text_in(row[2]));
    stored.is_waiting = text_in(row[2]) == "WAITING";
    if (!is_null(row[3])) stored.trial.seconds = number_in(row[3]);
    trials_.push_back(std::move(stored));
  });
}

/// Rows of other studies between these trials are left out here: a join with their trials takes the
/// server twice as long as the rows themselves.
void TrialReader::for_each(const Children& children, const Child& take) {
  const std::string sql = fmt::format(
      "SELECT c.trial_id, {} FROM {} c WHERE c.trial_id >= CAST($1 AS BIGINT) AND c.trial_id <= "
      "CAST($2 AS BIGINT){} ORDER BY c.trial_id, c.{}",
      children.columns, children.table, children.condition, children.order);
  const std::array<Cell, 2> cells{trials_.front().id, trials_.back().id};
  auto trial = trials_.begin();
  database_.run(sql, cells, [&](const Row& row) {
    const std::int64_t id = integer_in(row[0]);
    while (trial != trials_.end() && trial->id < id) ++trial;
    if (trial != trials_.end() && trial->id == id) take(*trial, row);
  });
}

void TrialReader::read_parameters() {
  for_each({.columns = "c.param_name, c.param_value, c.distribution_json",
            .table = "trial_params",
            .order = "param_id"},
           [&](StoredTrial& stored, const Row& row) {
             const Distribution& distribution = parsed(text_in(row[3]));
             stored.trial.point.insert_or_assign(
                 text_in(row[1]), value_of(number_in(row[2]), distribution, database_.name()));
             if (extent_ == Extent::everything)
               stored.distributions.insert_or_assign(text_in(row[1]), distribution);
           });
}

void TrialReader::read_values() {
  for_each({.columns = "c.value, c.value_type", .table = "trial_values", .order = "objective"},
           [&](StoredTrial& stored, const Row& row) {
             const double value = objective_of(row[1], text_in(row[2]));
             if (!stored.trial.value) stored.trial.value = value;
             if (goals_ > 1) stored.trial.objectives.push_back(value);
           });
  for (const StoredTrial& stored : trials_) {
    if (stored.trial.state != TrialState::complete || stored.trial.value) continue;
    throw InvalidInput(fmt::format("{}: trial {} is complete but has no value", database_.name(),
                                   stored.trial.number));
  }
}

/// Optuna also stores intermediate values that are not numbers; they tell a sampler nothing.
void TrialReader::read_intermediate_values() {
  for_each({.columns = "c.step, c.intermediate_value, c.intermediate_value_type",
            .table = "trial_intermediate_values",
            .order = "step",
            .condition = " AND c.intermediate_value_type <> 'NAN'"},
           [&](StoredTrial& stored, const Row& row) {
             stored.intermediate.insert_or_assign(integer_in(row[1]),
                                                  objective_of(row[2], text_in(row[3])));
           });
}

void TrialReader::read_user_attributes() {
  for_each({.columns = "c.key, c.value_json",
            .table = "trial_user_attributes",
            .order = "trial_user_attribute_id"},
           [&](StoredTrial& stored, const Row& row) {
             take_attribute(stored.trial, {.key = text_in(row[1]), .json = text_in(row[2])});
           });
}

/// Releases before 5 store a list; later ones also store a number for each name.
void TrialReader::read_constraints() {
  for_each({.columns = "c.value_json",
            .table = "trial_system_attributes",
            .order = "trial_system_attribute_id",
            .condition = " AND (c.key = 'constraints' OR c.key LIKE 'constraints:%')"},
           [&](StoredTrial& stored, const Row& row) {
             const Value value = read_json(text_in(row[1]), database_.name());
             if (value.is_number()) {
               stored.trial.constraints.push_back(value.as_double());
             } else if (value.is_list()) {
               for (const Value& one : value.as_list()) {
                 stored.trial.constraints.push_back(one.as_double());
               }
             }
           });
}

const Distribution& TrialReader::parsed(const std::string& json) {
  auto found = parsed_.find(json);
  if (found == parsed_.end()) {
    found = parsed_.emplace(json, parse_distribution(json, database_.name())).first;
  }
  return found->second;
}

}  // namespace quantsearch
