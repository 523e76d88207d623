#pragma once

// Reads trials from the rows of Optuna's tables, whichever program wrote them.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "quantsearch/storage.h"
#include "storage/database.h"

namespace quantsearch {

struct StoredTrial {
  std::int64_t id = 0;  // trial_id, unique in the database
  Trial trial;
  bool is_waiting = false;   // enqueued for Optuna to run
  bool is_abridged = false;  // long details are missing
  // Filled only for readers that read everything.
  std::map<std::string, Distribution> distributions = {};
  std::map<std::int64_t, double> intermediate = {};
};

class TrialReader {
 public:
  /// What is read of a trial: what a search needs, or also distributions and intermediate values.
  enum class Extent { search, everything };
  /// `goals` is the number of objectives of the study.
  TrialReader(Database& database, std::int64_t study_id, std::size_t goals,
              Extent extent = Extent::search)
      : database_(database), study_id_(study_id), goals_(goals), extent_(extent) {}

  /// Trials with from <= id <= to, by id. Must be called within a transaction, so that the rows are
  /// consistent.
  [[nodiscard]] std::vector<StoredTrial> read(std::int64_t from, std::int64_t to);
  /// The same, one by one: a part of them is in memory at a time. `take` must not read.
  void visit(std::int64_t from, std::int64_t to,
             const std::function<void(StoredTrial&& stored)>& take);
  /// The first trials of the range, as many as are read at a time; none only when the range has
  /// none.
  [[nodiscard]] std::vector<StoredTrial> read_part(std::int64_t from, std::int64_t to);
  /// The trials that begin with id `from`, as running ones: their numbers and points. What they
  /// have become since is for a later read.
  [[nodiscard]] std::vector<StoredTrial> read_begun(std::int64_t from);

 private:
  using Child = std::function<void(StoredTrial& trial, const Row& row)>;
  struct Children {
    std::string columns;
    std::string table;
    std::string order;
    std::string condition = {};
  };
  /// Reads the next trials of the range, at most `most`.
  void read_heads(std::int64_t most);
  void read_parameters();
  void read_values();
  void read_intermediate_values();
  void read_user_attributes();
  void read_constraints();
  void for_each(const Children& children, const Child& take);
  const Distribution& parsed(const std::string& json);

  Database& database_;
  std::int64_t study_id_;
  std::size_t goals_;
  Extent extent_;
  std::unordered_map<std::string, Distribution> parsed_;  // JSON -> parsed
  std::vector<Cell> range_;                               // study, from, to of the current read
  std::vector<StoredTrial> trials_;
};

}  // namespace quantsearch
