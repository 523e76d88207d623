#pragma once

// A search of a shipped model over its real images, with everything a test may want to turn.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "quantsearch/autosearch.h"

namespace quantsearch::testing {

inline const std::filesystem::path kSource = QUANTSEARCH_SOURCE_DIR;

struct SearchSetting {
  AutoSearchConfig config;
  SearchInput input;
  int threads = 2;
  std::function<void(SearchEnvironment&)> adjust = [](SearchEnvironment&) {};

  /// 32 images calibrate, `judging` others with their labels judge.
  explicit SearchSetting(const std::string& yaml,
                         const std::filesystem::path& model = kSource / "tests/data/resnet8.onnx",
                         std::int64_t judging = 64);

  SearchResult run(const std::filesystem::path& output);
};

[[nodiscard]] double score_of(const Trial& trial, const std::string& name);
/// The trial in best.onnx.
[[nodiscard]] const Trial& best_of(const SearchResult& result);

}  // namespace quantsearch::testing
