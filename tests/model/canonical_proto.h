#pragma once

// Normalises a model proto, so that everything the format can encode in several ways is encoded in
// one, and two protos can be compared by their text. Tests use it to show that loading and saving
// lose nothing.

#include <onnx/onnx_pb.h>

#include <string>

namespace quantsearch::testing {

/// Normalised: typed and external values of initializers and attributes become raw_data; the domain
/// "ai.onnx" is ""; fields that are present but hold their default are absent; a missing attribute
/// type is filled in; opset imports and metadata are sorted by key. Not normalised: every other
/// field, unknown fields, and the order of nodes, initializers, inputs, outputs, value infos and
/// attributes.
[[nodiscard]] onnx::ModelProto canonical(onnx::ModelProto model);

/// The first lines in which the two differ; "" when they are equal.
[[nodiscard]] std::string first_difference(const onnx::ModelProto& left,
                                           const onnx::ModelProto& right);

}  // namespace quantsearch::testing
