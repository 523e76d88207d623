#pragma once

// What is known about the costs of the patterns and conversions of one model, and the choice that
// follows.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "placement/cheapest_split.h"
#include "placement/ledger.h"
#include "quantsearch/placement.h"

namespace quantsearch {

class CostRecord {
 public:
  /// `elements`: number of values by tensor of the graph. `known`: costs of patterns on this
  /// machine, which the record prefers to the first profiles but not to later ones.
  CostRecord(const Graph& graph, const Units& units, std::map<std::string, std::int64_t> elements,
             const KnownCosts& known);

  [[nodiscard]] std::size_t patterns() const { return names_.size(); }
  [[nodiscard]] const std::string& name(std::size_t pattern) const { return names_[pattern]; }
  [[nodiscard]] std::size_t pattern_of(std::size_t unit) const { return pattern_of_unit_[unit]; }
  [[nodiscard]] bool can_be_integer(std::size_t pattern) const { return can_be_integer_[pattern]; }
  /// True when the costs of every pattern that can be placed were known from the beginning.
  [[nodiscard]] bool knew_all() const;

  /// Takes the times of a profile, in which the patterns ran as `on_integers` says.
  void learn(const Ledger& ledger, const std::vector<bool>& on_integers);

  /// The placement with the least predicted time: true for each pattern on integers.
  [[nodiscard]] std::vector<bool> best_split() const;
  /// The predicted time in seconds.
  [[nodiscard]] double predicted(const std::vector<bool>& on_integers) const;
  /// The time of a pattern in its slower position, in seconds.
  [[nodiscard]] double largest_time(std::size_t pattern) const;
  [[nodiscard]] std::vector<PatternCost> report(const std::vector<bool>& on_integers) const;
  [[nodiscard]] KnownCosts known() const;

 private:
  struct Estimate {
    double on_float = 0;  // seconds, of one unit
    double on_integers = 0;
    bool is_known = false;
  };

  void add_patterns(const Units& units, const KnownCosts& known);
  void add_values(const Graph& graph, const Units& units);
  /// Items are patterns; the last one stands for inputs and outputs of the graph.
  [[nodiscard]] SplitProblem problem() const;
  [[nodiscard]] ConversionTime conversion(const std::string& tensor) const;
  void learn_conversions(const Ledger& ledger);

  struct Passed {
    std::string tensor;
    std::size_t producer = 0;  // pattern
    std::vector<int> readers;  // patterns
  };

  std::vector<std::string> names_;  // of patterns
  std::vector<std::size_t> pattern_of_unit_;
  std::vector<std::int64_t> units_of_pattern_;
  std::vector<bool> can_be_integer_;
  std::vector<Estimate> estimates_;
  std::vector<Passed> passed_;
  std::map<std::string, std::int64_t> elements_;
  std::map<std::string, ConversionTime> conversions_;  // observed
  ConversionTime per_element_;                         // of those not observed
};

}  // namespace quantsearch
