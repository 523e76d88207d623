#pragma once

// The search space of the simulation: the stages of a trial of quantization, the settings that each
// of them reads, and their times, drawn from those of a real search.

#include <map>
#include <string>
#include <vector>

#include "quantsearch/optimizers/domain.h"
#include "scale/cluster.h"

namespace quantsearch {

/// The seconds of each run of each stage.
using StageTimes = std::map<std::string, std::vector<double>>;
/// Reads lines "stage,seconds" after a header, as trial_times.py writes them. Throws IoError or
/// InvalidInput.
[[nodiscard]] StageTimes read_stage_times(const std::string& file);

class StageSpace final : public Workload {
 public:
  /// Each stage takes as long as one of its runs, chosen by the stage's key, times `factor`.
  /// Throws InvalidInput for a stage that is unknown here, and when none has a time.
  StageSpace(StageTimes times, double factor);

  [[nodiscard]] static Domain domain();
  [[nodiscard]] std::vector<StageWork> stages_of(std::int64_t number,
                                                 const Coordinates& point) const override;
  /// A smooth loss with its optimum, 0, inside the ranges and in one of the categories.
  [[nodiscard]] double value_of(const Coordinates& point) const override;

 private:
  StageTimes times_;
  double factor_;
};

}  // namespace quantsearch
