#pragma once

// Which methods have anything to do in a model: a trial that asks for one that has not is the trial
// without it.

#include <functional>
#include <map>
#include <memory>

#include "quantsearch/base/hash.h"
#include "quantsearch/model.h"
#include "quantsearch/pipeline/settings.h"

namespace quantsearch {

/// Remembers its answers. Not thread-safe.
class Applicability {
 public:
  using Simplify = std::function<std::shared_ptr<const Model>(const SimplifyOptions&)>;
  /// `simplify` gives the simplified model, best from a cache.
  explicit Applicability(Simplify simplify) : simplify_(std::move(simplify)) {}

  /// The same settings without the methods that would change nothing. A model that cannot be
  /// simplified under these settings leaves them as they are: the trial will say why.
  [[nodiscard]] Settings without_idle_methods(Settings settings);

 private:
  [[nodiscard]] bool equalizes(const QuantizationConfig& config);
  [[nodiscard]] bool smooths(const QuantizationConfig& config);

  Simplify simplify_;
  std::map<Key, bool> equalizes_;
  std::map<Key, bool> smooths_;
};

/// Simplifies `model`, which is borrowed, and keeps what it made.
[[nodiscard]] Applicability::Simplify remembered_simplify(const Model& model);

}  // namespace quantsearch
