#pragma once

// One step for unlike things: where operators put values of several tensors into one, every part
// must keep enough of the steps between its own smallest and largest value. Boxes in pixels and
// scores in [0, 1] behind one Concat have one step of 2.5, which makes all scores 0. What would
// lose a part stays float; docs/placement.md gives the rules.

#include <map>
#include <optional>
#include <string>

#include "quantize/numbers/activations.h"
#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// A tensor whose values stand beside others'.
struct Part {
  std::string tensor;
  double steps = 0;  // that it would keep
};

class Parts {
 public:
  /// `spans`: of the values of each tensor, zero included. Must outlive this, like the others.
  Parts(const GraphView& view, const std::map<std::string, double, std::less<>>& spans);

  /// The part of `tensor` that a step of this size leaves with the fewest steps of its own range,
  /// when these are fewer than 16.
  [[nodiscard]] std::optional<Part> lost_in(std::string_view tensor, float scale) const;

  /// True for data movement that takes some of the values of a tensor of several parts, and whose
  /// own range is known.
  [[nodiscard]] bool selects(const Node& node) const;

 private:
  struct Smallest {
    std::string tensor;
    double span = 0;
  };
  void settle(const Node& node);
  void take(std::string_view tensor, std::optional<Smallest>& smallest) const;

  const GraphIndex& index_;
  const std::map<std::string, double, std::less<>>& spans_;
  std::map<std::string, Smallest, std::less<>> smallest_;
};

/// Nodes that must stay float beside those that the plan leaves float. Empty when no pair of the
/// plan loses a part.
[[nodiscard]] LeftFloat unlike_nodes(const PlanView& view, const Activations& activations,
                                     const Parts& parts);

/// "2.5 of its own steps".
[[nodiscard]] std::string steps_text(const Part& part);

}  // namespace quantsearch
