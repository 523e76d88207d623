#pragma once

// The folder a search leaves behind. Every file is whole or absent.

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
  /// Creates the folder and proves that it can be written. Throws InvalidInput when it holds an
  /// earlier search and `existing` is refuse, IoError when it cannot be written. Overwriting
  /// removes the files of a search, nothing else.
  OutputFolder(std::filesystem::path folder, Existing existing);

  [[nodiscard]] const std::filesystem::path& path() const { return folder_; }
  [[nodiscard]] std::filesystem::path study() const { return folder_ / "study.db"; }

  /// best.onnx and the best_config.yaml that makes it again: `settings`, with inputs fixed first.
  void write_best(const Model& model, const Settings& settings, const FixedInputs& fixed) const;
  /// candidates/NNNN.onnx; returns the path.
  std::filesystem::path write_candidate(std::int64_t number, const Model& model) const;
  /// Drops candidates/ files of other trials.
  void keep_candidates(const std::vector<std::int64_t>& numbers) const;
  void write_results(const Value& results) const;
  /// report.html.
  void write_report(const std::string& page) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace quantsearch
