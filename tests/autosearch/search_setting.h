#pragma once

// A search on a shipped model with its real images, and the parameters that tests may change.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "quantsearch/autosearch.h"
#include "support/source_tree.h"

namespace quantsearch::testing {

/// What the names of reconstruction's options begin with.
inline const std::string kTune = "extra_options.FastFinetune.";

/// The configuration in a YAML text.
[[nodiscard]] AutoSearchConfig parse(const std::string& yaml);

struct SearchSetting {
  AutoSearchConfig config;
  SearchInput input;
  int threads = 2;
  std::function<void(SearchEnvironment&)> adjust = [](SearchEnvironment&) {};

  /// 32 images are for calibration, and `judging` others with their labels for evaluation.
  explicit SearchSetting(const std::string& yaml,
                         const std::filesystem::path& model = kSource / "tests/data/resnet8.onnx",
                         std::int64_t judging = 64);

  SearchResult run(const std::filesystem::path& output);
};

[[nodiscard]] double score_of(const Trial& trial, const std::string& name);
/// The trial in best.onnx.
[[nodiscard]] const Trial& best_of(const SearchResult& result);

}  // namespace quantsearch::testing
