#pragma once

// The split of a graph into operators that run in float and operators that run on integers with the
// least total time, conversions included. It is a minimum cut (Greig, Porteous and Seheult 1989,
// "Exact maximum a posteriori estimation for binary images"), found by Dinic's algorithm.

#include <vector>

namespace quantsearch {

struct SplitProblem {
  struct Item {
    double on_float = 0;
    double on_integers = 0;
    bool must_be_float = false;
  };
  /// A value that one item hands to others. Conversions are paid once, however many readers there
  /// are.
  struct Value {
    int producer = 0;
    std::vector<int> readers;
    double quantize = 0;    // the producer is float and a reader works on integers
    double dequantize = 0;  // the other way
  };
  std::vector<Item> items;
  std::vector<Value> values;
};

/// True for each item that runs on integers. Of several cheapest splits the one with the most
/// float items is chosen. Costs are >= 0.
[[nodiscard]] std::vector<bool> cheapest_split(const SplitProblem& problem);

/// The time of a split.
[[nodiscard]] double cost_of(const SplitProblem& problem, const std::vector<bool>& on_integers);

}  // namespace quantsearch
