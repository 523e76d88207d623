#pragma once

// Expected seconds of a configuration: what orders the grid and weights random draws. First estimates come from the
// model's size, real ones from finished trials.

#include <map>
#include <string>

#include "quantsearch/autosearch.h"
#include "quantsearch/base/hash.h"

namespace quantsearch {

class TrialCosts {
 public:
  /// `seconds`: of an average trial (expected_time_per_config, or a guess from the float model's run).
  TrialCosts(Settings base, double seconds, Key model, Key data);

  [[nodiscard]] Expected expected(const Point& point) const;
  /// Learns what trials of this kind take, from one that ran through.
  void learn(const Point& point, double seconds);

 private:
  /// Trials of one kind take about the same time: types decide how a model runs, the method how ranges are found.
  [[nodiscard]] std::string kind_of(const Settings& settings) const;

  /// Seconds of a trial before any was measured.
  [[nodiscard]] double guess(const Settings& settings, const QuantizationConfig& config) const;

  struct Mean {
    double sum = 0;
    double count = 0;
  };
  Settings base_;
  double seconds_;
  Key model_;
  Key data_;
  std::map<std::string, Mean> kinds_;
  Mean measured_over_guess_;
};

}  // namespace quantsearch
