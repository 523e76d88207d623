#pragma once

// The output folder of a search. Every file is complete or absent.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "quantsearch/base/value.h"
#include "quantsearch/model.h"
#include "quantsearch/model/fixed_inputs.h"
#include "quantsearch/pipeline/settings.h"

namespace quantsearch {

class OutputFolder {
 public:
  enum class Existing { refuse, resume, overwrite };
  /// Creates the folder and verifies that it can be written. Throws InvalidInput when it contains
  /// an earlier search and `existing` is refuse, and IoError when it cannot be written. Overwriting
  /// removes only the files of a search.
  OutputFolder(std::filesystem::path folder, Existing existing);

  [[nodiscard]] const std::filesystem::path& path() const { return folder_; }
  [[nodiscard]] std::filesystem::path study() const { return folder_ / "study.db"; }

  /// Writes best.onnx, and best_config.yaml with `config`, which builds it again.
  void write_best(const Model& model, const Value& config) const;
  /// Writes candidates/NNNN.onnx and returns its path.
  std::filesystem::path write_candidate(std::int64_t number, const Model& model) const;
  /// Removes files of other trials from candidates/.
  void keep_candidates(const std::vector<std::int64_t>& numbers) const;
  /// Writes results.json and removes running.json.
  void write_results(const Value& results) const;
  /// Writes running.json, which says that the trials in study.db are newer than results.json: the
  /// keys of results.json that are known before the first trial.
  void write_running(const Value& head) const;
  /// Writes report.html.
  void write_report(const std::string& page) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace quantsearch
