#pragma once

// A trial as one text, which spares the processes of a shared study most of what they would read of
// each other: the rows of a trial in Optuna's tables are about a dozen, and each of W processes
// reads the trials of all others.
//
// The text is the value of the system attribute `quantsearch:worker`. Studies of older versions
// have the worker alone there, and Optuna's trials have no such attribute: they are read from the
// tables.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quantsearch/storage.h"

namespace quantsearch {

class TrialRecords {
 public:
  /// A detail whose JSON is longer is not in the record, so that the tables of layers in the
  /// details of one process are not sent to all others.
  static constexpr std::size_t kLongestDetail = 1024;

  TrialRecords(const std::map<std::string, Distribution>& distributions, std::string worker);

  /// `["worker","key of the space",[numbers of the point]]`, with null where a parameter has no
  /// effect.
  [[nodiscard]] std::string running(const Point& point) const;
  /// The same with state, objectives, constraints, whether it is a candidate, seconds, reason,
  /// details and whether details are missing after the point.
  [[nodiscard]] std::string finished(const Trial& trial) const;
  /// What the records of this worker begin with.
  [[nodiscard]] std::string own_beginning() const { return "[" + worker_ + ","; }

  struct Read {
    Trial trial;  // without number; running when the record is of a running trial
    bool is_abridged = false;
  };
  /// Nullopt for a text that is no record, or one of another space.
  [[nodiscard]] std::optional<Read> read(const std::string& text) const;

 private:
  std::map<std::string, Distribution> distributions_;
  std::string worker_;  // JSON
  std::string space_;   // the key of names and choices, which the numbers depend on
};

}  // namespace quantsearch
