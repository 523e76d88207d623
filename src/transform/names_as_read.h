#pragma once

// Follows the nodes and tensors of the model as read through the passes, by their names alone: a
// pass need not report what it merges. A node that is gone lives on in the node that makes its
// output now. Of a copy that is gone (Identity, Dropout) only the values live on.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/transform.h"

namespace quantsearch {

class NameTracker {
 public:
  explicit NameTracker(const Graph& as_read);

  /// `graph` is what a pass has made of the graph that was seen last.
  void follow(const Graph& graph);
  /// In terms of `simplified`, the graph that was seen last.
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
  /// Nodes that a pass has brought in, out of the body of an If, are followed from there on.
  void adopt(const std::vector<Seen>& nodes);

  std::vector<Seen> first_;
  std::vector<Seen> last_;
  std::map<std::string, std::optional<TensorNow>, std::less<>> places_;  // by tensor as read
};

}  // namespace quantsearch
