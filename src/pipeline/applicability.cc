#include "quantsearch/pipeline/applicability.h"

#include <utility>

#include "pipeline/stage_keys.h"
#include "quantsearch/base/error.h"
#include "quantsearch/equalize.h"
#include "quantsearch/transform.h"

namespace quantsearch {

namespace {

/// Returns the result of `answer` for the simplified model; true when the model cannot be
/// simplified.
bool says(const Applicability::Simplify& simplify, const SimplifyOptions& options,
          const std::function<bool(const Model&)>& answer) {
  try {
    return answer(*simplify(options));
  } catch (const InvalidInput&) {
    return true;
  } catch (const Unsupported&) {
    return true;
  }
}

}  // namespace

bool Applicability::equalizes(const QuantizationConfig& config) {
  // Chains depend on the simplified model and on whether Clip is replaced, but not on how scales
  // are chosen.
  const EqualizeOptions options{.replace_clip6 = config.equalize->replace_clip6};
  const Key key = equalize_key(simplify_key(Key{}, config.simplify), options);
  const auto known = equalizes_.find(key);
  if (known != equalizes_.end()) return known->second;
  return equalizes_[key] = says(simplify_, config.simplify,
                                [&](const Model& model) { return can_equalize(model, options); });
}

bool Applicability::smooths(const QuantizationConfig& config) {
  const Key key = simplify_key(Key{}, config.simplify);
  const auto known = smooths_.find(key);
  if (known != smooths_.end()) return known->second;
  return smooths_[key] = says(simplify_, config.simplify, can_smooth);
}

Settings Applicability::without_idle_methods(Settings settings) {
  const QuantizationConfig config = resolve(settings);
  if (config.equalize && !equalizes(config)) settings["include_cle"] = false;
  if (config.smooth && !smooths(config)) settings["include_sq"] = false;
  return settings;
}

Applicability::Simplify remembered_simplify(const Model& model) {
  const auto made = std::make_shared<std::map<Key, std::shared_ptr<const Model>>>();
  return [&model, made](const SimplifyOptions& options) {
    std::shared_ptr<const Model>& kept = (*made)[simplify_key(Key{}, options)];
    if (kept == nullptr) kept = std::make_shared<const Model>(simplify(model, options).model);
    return kept;
  };
}

}  // namespace quantsearch
