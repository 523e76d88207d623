#pragma once

// What libonnx knows about the versions of an operator of ai.onnx.

#include <cstdint>
#include <optional>
#include <string>

namespace quantsearch::model_io {

/// The first version in (from, to] that defines the operator anew; nullopt when its definition
/// stays.
[[nodiscard]] std::optional<std::int64_t> next_change(const std::string& op_type, std::int64_t from,
                                                      std::int64_t to);
[[nodiscard]] bool is_operator(const std::string& op_type, std::int64_t opset);
/// True when a node of the version before means the same at `version`, and libonnx says so.
[[nodiscard]] bool is_compatible_change(const std::string& op_type, std::int64_t version);
}  // namespace quantsearch::model_io
