#pragma once

// Which node a failed load or run is about. ONNX Runtime says it in its message alone.

#include <optional>
#include <string>

namespace quantsearch {

struct FailingNode {
  // As in the graph that was executed, which optimization has changed; may be empty.
  std::string name;
  std::string op_type;
  bool operator==(const FailingNode&) const = default;
};

/// The node that the message of a failed open_session(), optimized_model() or run() names; nullopt
/// when it names none, as for inputs that do not fit the model.
[[nodiscard]] std::optional<FailingNode> failing_node(const std::string& message);

}  // namespace quantsearch
