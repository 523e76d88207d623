#pragma once

// Finds the node that made a load or a run fail. ONNX Runtime names it only in its message.

#include <optional>
#include <string>

namespace quantsearch {

struct FailingNode {
  // The name in the executed graph, which optimization has changed; may be empty.
  std::string name;
  std::string op_type;
  bool operator==(const FailingNode&) const = default;
};

/// The node that is named by the message of a failed open_session(), optimized_model() or run();
/// nullopt when the message names none, for example when inputs do not fit the model.
[[nodiscard]] std::optional<FailingNode> failing_node(const std::string& message);

}  // namespace quantsearch
