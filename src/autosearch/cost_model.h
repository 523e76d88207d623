#pragma once

// Expected seconds of a configuration: what orders the grid and weights random draws. They are
// estimates that no measured time corrects: with measured ones the order of trials would depend on
// the machine's mood.

#include "quantsearch/autosearch.h"
#include "quantsearch/base/hash.h"

namespace quantsearch {

class TrialCosts {
 public:
  /// `seconds`: of an average trial (expected_time_per_config, or a guess from the float model's
  /// run).
  TrialCosts(Settings base, double seconds, Key model, Key data);

  [[nodiscard]] Expected expected(const Point& point) const;

 private:
  Settings base_;
  double seconds_;
  Key model_;
  Key data_;
};

}  // namespace quantsearch
