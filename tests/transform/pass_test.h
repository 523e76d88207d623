#pragma once

// A pass must keep what a model computes: helpers that run it before and after, and look at what is
// left.

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
/// The model with inferred shapes, those of its outputs included; unchecked, since an output
/// without a shape is refused.
[[nodiscard]] Model inferred(const ModelBuilder& builder);
[[nodiscard]] int count(const Model& model, const std::string& op_type);
/// All notes, one a line.
[[nodiscard]] std::string text(const std::vector<std::string>& notes);
[[nodiscard]] Node node_of(const std::string& op_type, const std::vector<std::string>& inputs,
                           const std::vector<std::string>& outputs,
                           std::vector<Attribute> attributes = {});
[[nodiscard]] Attribute attribute(const std::string& name, Attribute::Payload value);

}  // namespace quantsearch::testing
