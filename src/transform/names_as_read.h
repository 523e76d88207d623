#pragma once

// Follows the nodes and tensors of the model as it was read through the passes, by their names
// alone, so that a pass need not report what it merges. A removed node corresponds to the node that
// now produces its output. A removed copy (Identity, Dropout) corresponds to no node; only its
// values remain.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/transform.h"

namespace quantsearch {

class NameTracker {
 public:
  explicit NameTracker(const Graph& as_read);

  /// `graph` is the result of a pass on the graph that was seen last.
  void follow(const Graph& graph);
  /// The result in terms of `simplified`, the graph that was seen last.
  [[nodiscard]] NamesAsRead finish(const Graph& simplified) const;

 private:
  struct Seen {
    std::string op_type;
    std::string name;
    std::string first_input;
    std::vector<std::string> outputs;
    bool operator==(const Seen&) const = default;
  };
  class Step;

  static std::vector<Seen> seen_in(const Graph& graph);
  /// Starts to follow nodes that a pass has added from the body of an If.
  void adopt(const std::vector<Seen>& nodes);

  std::vector<Seen> first_;
  std::vector<Seen> last_;
  std::map<std::string, std::optional<TensorNow>, std::less<>> places_;  // by tensor as read
};

}  // namespace quantsearch
