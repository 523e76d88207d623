#pragma once

// Divides the samples into those for calibration, for evaluation and for confirmation.

#include <cstdint>
#include <memory>
#include <optional>

#include "quantsearch/autosearch.h"

namespace quantsearch {

struct DataSplit {
  std::shared_ptr<const DataSource> calibration;
  std::shared_ptr<const DataSource> evaluation;
  std::optional<Labels> labels;  // of the evaluation samples
  // The part of the evaluation data that no trial sees; null when there is none.
  std::shared_ptr<const DataSource> confirmation = nullptr;
  std::optional<Labels> confirmation_labels = {};
  // The numbers of the first samples in the data that the user gave for them, which files of a
  // ground truth describe.
  std::int64_t first_evaluation = 0;
  std::int64_t first_confirmation = 0;
  // Limits every stage to the calibration samples when their number was reduced, so that
  // best_config.yaml does so too.
  Settings base;
};

/// `confirmation`: share of the evaluation data that is held out. Throws InvalidInput when a share
/// is out of range or leaves no samples, when both evaluation data and a hold-out share are given,
/// and without calibration data. Warns when the calibration data are also the evaluation data,
/// unless there is an evaluator.
[[nodiscard]] DataSplit split_data(const Settings& base, const SearchInput& input,
                                   double confirmation, bool has_evaluator, const LogSink& log);

}  // namespace quantsearch
