#pragma once

// Helpers for tests of passes. A pass must keep what a model computes, so they run the model before
// and after the pass and examine the result.

#include <map>
#include <string>
#include <vector>

#include "quantsearch/model.h"
#include "support/model_builder.h"
#include "transform/pass.h"

namespace quantsearch::testing {

/// Largest absolute difference of any output on random inputs (unoptimized ONNX Runtime); infinity
/// when names, shapes or NaNs differ. Integers are compared as numbers.
[[nodiscard]] double largest_difference(const Model& before, const Model& after,
                                        std::int64_t batch = 2);
[[nodiscard]] double largest_difference(const std::map<std::string, Tensor>& before,
                                        const std::map<std::string, Tensor>& after);
/// The model with inferred shapes, those of its outputs included. It is unchecked, because the
/// checker refuses an output without a shape.
[[nodiscard]] Model inferred(const ModelBuilder& builder);
[[nodiscard]] int count(const Model& model, const std::string& op_type);
/// All notes, one on each line.
[[nodiscard]] std::string text(const std::vector<std::string>& notes);
[[nodiscard]] Node node_of(const std::string& op_type, const std::vector<std::string>& inputs,
                           const std::vector<std::string>& outputs,
                           std::vector<Attribute> attributes = {});
[[nodiscard]] Attribute attribute(const std::string& name, Attribute::Payload value);

}  // namespace quantsearch::testing
