#pragma once

// Looks up the versions of ai.onnx operators in libonnx.

#include <cstdint>
#include <optional>
#include <string>

namespace quantsearch::model_io {

/// The first version in (from, to] that changes the definition of the operator; nullopt when none
/// does.
[[nodiscard]] std::optional<std::int64_t> next_change(const std::string& op_type, std::int64_t from,
                                                      std::int64_t to);
[[nodiscard]] bool is_operator(const std::string& op_type, std::int64_t opset);
/// True when a node of the previous version is known to have the same meaning at `version`.
[[nodiscard]] bool is_compatible_change(const std::string& op_type, std::int64_t version);
}  // namespace quantsearch::model_io
