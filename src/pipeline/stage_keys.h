#pragma once

// Keys of stages: the stage's name and version, the options it reads, the keys of its inputs.

#include <map>
#include <vector>

#include "quantsearch/base/hash.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/pipeline/settings.h"

namespace quantsearch {

[[nodiscard]] Key simplify_key(const Key& model, const SimplifyOptions& options);
[[nodiscard]] Key equalize_key(const Key& simplified, const EqualizeOptions& options);
/// Behind an equalization with bias absorption, which looks at tensors before their Relu.
[[nodiscard]] Key observe_biases_key(const Key& equalized, const Key& data,
                                     const QuantizationConfig& config);
[[nodiscard]] Key absorb_key(const Key& equalized, const Key& statistics,
                             BiasAbsorption absorption);
[[nodiscard]] Key smooth_key(const Key& equalized, const Key& statistics,
                             const SmoothOptions& options);
/// `prepared`: the key of the float model that is observed and quantized, simplified, equalized or
/// smoothed.
[[nodiscard]] Key observe_key(const Key& prepared, const Key& data,
                              const QuantizationConfig& config);
[[nodiscard]] Key digest_key(const Key& statistics);
[[nodiscard]] Key ranges_key(const Key& statistics, const RangeOptions& options);
/// One for each activation type in use, in their order.
[[nodiscard]] std::vector<Key> ranges_keys(const Key& statistics, const QuantizationConfig& config);
/// `ranges`: what ranges_keys gives.
[[nodiscard]] Key quantize_key(const Key& prepared, const std::vector<Key>& ranges,
                               const QuantizeOptions& options);
/// `quantized`: of the model without chosen formats; stands for the float model and the ranges,
/// too.
[[nodiscard]] Key precision_key(const Key& quantized, const Key& data,
                                const PrecisionOptions& options);
/// `precision`: what precision_key gives.
[[nodiscard]] Key finish_precision_key(const Key& precision, const Key& data,
                                       const FinetuneOptions& options);
/// Of one of the models that mixed precision makes.
[[nodiscard]] Key mixed_key(const Key& precision, const Model& quantized);
/// Of tensors of the float model on the first samples.
[[nodiscard]] Key activations_key(const Key& prepared, const Key& data,
                                  const std::vector<std::string>& tensors, std::int64_t samples);
/// `quantized` stands for the float model and the ranges, too.
[[nodiscard]] Key finetune_key(const Key& quantized, const Key& data,
                               const FinetuneOptions& options);
[[nodiscard]] Key evaluate_key(const Key& model, const Reference& reference,
                               const EvaluateOptions& options);

/// The range options of each activation type that the configuration uses.
[[nodiscard]] std::map<DataType, RangeOptions> ranges_by_type(const QuantizationConfig& config);

/// The same range options with everything reset that their method does not read, so that equal work
/// has equal keys.
[[nodiscard]] RangeOptions effective_range_options(const RangeOptions& options);

}  // namespace quantsearch
