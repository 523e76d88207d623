#pragma once

// Finds tensors in which values of very different size would share one step. Where operators join
// the values of several tensors, every part must keep enough steps between its own smallest and
// largest value. For example, boxes in pixels and scores in [0, 1] after one Concat have one step
// of 2.5, which makes all scores 0. Nodes that would lose a part stay float; docs/placement.md
// gives the rules.

#include <map>
#include <optional>
#include <string>

#include "quantize/numbers/activations.h"
#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// A tensor whose values share one step with those of other tensors.
struct Part {
  std::string tensor;
  double steps = 0;  // number of steps that it would keep
};

class Parts {
 public:
  /// `spans` is Activations::spans. All arguments must outlive the object.
  Parts(const GraphView& view, const std::map<std::string, double, std::less<>>& spans);

  /// The part of `tensor` that keeps the fewest steps of its own range when the step is `scale`;
  /// nullopt when it keeps 16 or more.
  [[nodiscard]] std::optional<Part> lost_in(std::string_view tensor, float scale) const;

  /// The same for the channels of a Mul by a constant of several values. They are parts of the
  /// product only, not of what it is joined with.
  [[nodiscard]] std::optional<Part> lost_by_scaling(const Node& node, float scale) const;

  /// True for data movement that selects some values of a tensor of several parts, and whose own
  /// range is known.
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

/// Nodes that must stay float in addition to those that the plan leaves float. Empty when no pair
/// of the plan loses a part.
[[nodiscard]] LeftFloat unlike_nodes(const PlanView& view, const Activations& activations,
                                     const Parts& parts);

/// A text such as "2.5 of its own steps".
[[nodiscard]] std::string steps_text(const Part& part);

}  // namespace quantsearch
