#pragma once

// Keys of stages. A key covers the name and version of the stage, the options it reads and the keys
// of its inputs.

#include <map>
#include <vector>

#include "quantsearch/base/hash.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/pipeline/settings.h"

namespace quantsearch {

[[nodiscard]] Key simplify_key(const Key& model, const SimplifyOptions& options);
[[nodiscard]] Key equalize_key(const Key& simplified, const EqualizeOptions& options);
/// The key of the observation for bias absorption, which reads tensors before their Relu.
[[nodiscard]] Key observe_biases_key(const Key& equalized, const Key& data,
                                     const QuantizationConfig& config);
[[nodiscard]] Key absorb_key(const Key& equalized, const Key& statistics,
                             BiasAbsorption absorption);
[[nodiscard]] Key smooth_key(const Key& equalized, const Key& statistics,
                             const SmoothOptions& options);
/// `prepared`: the key of the float model that is observed and quantized, which may be simplified,
/// equalized or smoothed.
[[nodiscard]] Key observe_key(const Key& prepared, const Key& data,
                              const QuantizationConfig& config);
[[nodiscard]] Key digest_key(const Key& statistics);
[[nodiscard]] Key ranges_key(const Key& statistics, const RangeOptions& options);
/// One key for each activation type in use, in the order of the types.
[[nodiscard]] std::vector<Key> ranges_keys(const Key& statistics, const QuantizationConfig& config);
/// `ranges`: the result of ranges_keys().
[[nodiscard]] Key quantize_key(const Key& prepared, const std::vector<Key>& ranges,
                               const QuantizeOptions& options);
/// `quantized`: the key of the model without chosen formats, which also covers the float model and
/// the ranges.
[[nodiscard]] Key precision_key(const Key& quantized, const Key& data,
                                const PrecisionOptions& options);
/// `precision`: the result of precision_key().
[[nodiscard]] Key finish_precision_key(const Key& precision, const Key& data,
                                       const FinetuneOptions& options);
/// The key of one of the models that mixed precision makes.
[[nodiscard]] Key mixed_key(const Key& precision, const Model& quantized);
/// The key of tensors of the float model on the first `samples` samples.
[[nodiscard]] Key activations_key(const Key& prepared, const Key& data,
                                  const std::vector<std::string>& tensors, std::int64_t samples);
/// `quantized` also covers the float model and the ranges.
[[nodiscard]] Key finetune_key(const Key& quantized, const Key& data,
                               const FinetuneOptions& options);
[[nodiscard]] Key evaluate_key(const Key& model, const Reference& reference,
                               const EvaluateOptions& options);

/// Returns the range options of each activation type that the configuration uses.
[[nodiscard]] std::map<DataType, RangeOptions> ranges_by_type(const QuantizationConfig& config);

/// Returns the same range options with all fields reset that their method does not read, so that
/// equal work has equal keys.
[[nodiscard]] RangeOptions effective_range_options(const RangeOptions& options);

}  // namespace quantsearch
