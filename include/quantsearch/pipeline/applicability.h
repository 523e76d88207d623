#pragma once

// Determines which methods have an effect on a model, so that a trial with a method that has none
// is treated as the trial without it.

#include <functional>
#include <map>
#include <memory>

#include "quantsearch/base/hash.h"
#include "quantsearch/model.h"
#include "quantsearch/pipeline/settings.h"

namespace quantsearch {

/// The results are cached. Not thread-safe.
class Applicability {
 public:
  using Simplify = std::function<std::shared_ptr<const Model>(const SimplifyOptions&)>;
  /// `simplify` returns the simplified model, preferably from a cache.
  explicit Applicability(Simplify simplify) : simplify_(std::move(simplify)) {}

  /// Returns the same settings without the methods that would change nothing. When the model cannot
  /// be simplified under these settings, they are returned unchanged, and the trial reports why.
  [[nodiscard]] Settings without_idle_methods(Settings settings);

 private:
  [[nodiscard]] bool equalizes(const QuantizationConfig& config);
  [[nodiscard]] bool smooths(const QuantizationConfig& config);

  Simplify simplify_;
  std::map<Key, bool> equalizes_;
  std::map<Key, bool> smooths_;
};

/// Returns a function that simplifies `model` and caches the results. `model` must outlive it.
[[nodiscard]] Applicability::Simplify remembered_simplify(const Model& model);

}  // namespace quantsearch
