#include "quantsearch/internal/pipeline/same_model.h"

#include "quantsearch/base/error.h"
#include "quantsearch/internal/calibrate/range_rule.h"
#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {

namespace {

Key key_of(const Settings& settings) {
  QuantizationConfig config = resolve(settings);
  config.ranges.symmetric_range = range_is_symmetric(config.ranges);
  return stage_keys({}, {}, config).back();
}

}  // namespace

bool make_same_model(const Settings& one, const Settings& other) {
  try {
    return key_of(one) == key_of(other);
  } catch (const Error&) {
    return false;
  }
}

}  // namespace quantsearch
