#pragma once

// The expected seconds of a configuration, which order the grid and weight random draws. The
// estimates are not corrected by measured times, so that the order of trials does not depend on the
// load of the machine.

#include "quantsearch/autosearch.h"
#include "quantsearch/base/hash.h"

namespace quantsearch {

class TrialCosts {
 public:
  /// `seconds`: the time of an average trial (expected_time_per_config, or an estimate from the run
  /// of the float model).
  TrialCosts(Settings base, double seconds, Key model, Key data);

  [[nodiscard]] Expected expected(const Point& point) const;

 private:
  Settings base_;
  double seconds_;
  Key model_;
  Key data_;
};

}  // namespace quantsearch
