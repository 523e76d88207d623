#pragma once

// Which samples calibrate and which judge.

#include <memory>
#include <optional>

#include "quantsearch/autosearch.h"

namespace quantsearch {

struct DataSplit {
  std::shared_ptr<const DataSource> calibration;
  std::shared_ptr<const DataSource> evaluation;
  std::optional<Labels> labels;  // of the evaluation samples
  // Of the evaluation data, seen by no trial; null: none.
  std::shared_ptr<const DataSource> confirmation = nullptr;
  std::optional<Labels> confirmation_labels = {};
  // With CalibDataSize when the calibration set was cut, so that best_config.yaml says it.
  Settings base;
};

/// `confirmation`: share of the evaluation data that is kept back. Throws InvalidInput when a share
/// is out of bounds or leaves nothing, and without calibration data. Warns when the calibration
/// data judge, unless an evaluator does.
[[nodiscard]] DataSplit split_data(const Settings& base, const SearchInput& input,
                                   double confirmation, bool has_evaluator, const LogSink& log);

}  // namespace quantsearch
