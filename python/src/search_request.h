#pragma once

// What a search or a host of its trials gets besides its configuration.

#include <nanobind/nanobind.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "quantsearch/autosearch.h"
#include "values.h"

namespace quantsearch::python {

struct SearchRequest {
  Model model;
  std::string model_name;
  std::shared_ptr<DataSource> calibration;
  std::shared_ptr<DataSource> evaluation;  // null: the calibration data
  std::optional<Labels> labels;
  double holdout = 0;
  nanobind::object evaluator = nanobind::none();
  // (threads, bytes of memory, device) -> command of a worker process; none: workers are refused.
  nanobind::object worker_command = nanobind::none();
  // Runs the trials elsewhere: an object with begin() and ask() (callbacks.h).
  nanobind::object remote = nanobind::none();
  int threads = 0;
  std::string memory;
  std::int64_t keep = 5;
  bool resume = false;
  bool overwrite = false;
  std::filesystem::path log_file;  // empty: none
};

/// The configuration of a search whose keys are in `config`.
[[nodiscard]] inline AutoSearchConfig config_of(nanobind::handle config, bool has_evaluator) {
  return parse_search_config(to_value(config, ""), {},
                             has_evaluator ? OwnEvaluator::present : OwnEvaluator::absent);
}
[[nodiscard]] inline AutoSearchConfig config_of(nanobind::handle config,
                                                const SearchRequest& request) {
  return config_of(config, !request.evaluator.is_none());
}

[[nodiscard]] inline SearchInput input_of(const SearchRequest& request) {
  return {.model = request.model,
          .model_name = request.model_name,
          .calibration = request.calibration,
          .evaluation = request.evaluation,
          .labels = request.labels,
          .holdout = request.holdout};
}

}  // namespace quantsearch::python
