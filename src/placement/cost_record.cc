#include "placement/cost_record.h"

#include <algorithm>
#include <utility>

namespace quantsearch {

namespace {

// Before a conversion was observed: 0.3 and 0.2 ns per value, and what each kernel costs besides.
constexpr ConversionTime kPerElement = {.quantize = 3e-10, .dequantize = 2e-10};
constexpr double kPerKernel = 2e-6;

}  // namespace

CostRecord::CostRecord(const Graph& graph, const Units& units,
                       std::map<std::string, std::int64_t> elements, const KnownCosts& known)
    : elements_(std::move(elements)), per_element_(kPerElement) {
  add_patterns(units, known);
  add_values(graph, units);
}

void CostRecord::add_patterns(const Units& units, const KnownCosts& known) {
  std::map<std::string, std::size_t> numbers;
  for (const Unit& unit : units.units) {
    const auto [entry, is_new] = numbers.emplace(unit.pattern, names_.size());
    pattern_of_unit_.push_back(entry->second);
    if (is_new) {
      names_.push_back(unit.pattern);
      units_of_pattern_.push_back(0);
      can_be_integer_.push_back(unit.can_be_integer);
      const auto cost = known.patterns.find(unit.pattern);
      estimates_.push_back(cost == known.patterns.end()
                               ? Estimate{}
                               : Estimate{.on_float = cost->second.on_float,
                                          .on_integers = cost->second.on_integers,
                                          .is_known = true});
    }
    ++units_of_pattern_[entry->second];
  }
}

void CostRecord::add_values(const Graph& graph, const Units& units) {
  const GraphIndex index(graph);
  const std::size_t outside = names_.size();
  const auto pattern_at = [&](int node) {
    const int unit = units.of_node[static_cast<std::size_t>(node)];
    return pattern_of_unit_[static_cast<std::size_t>(unit)];
  };
  const auto add = [&](const std::string& tensor, std::size_t producer) {
    if (!elements_.contains(tensor)) return;
    Passed passed{.tensor = tensor, .producer = producer, .readers = {}};
    for (const int reader : index.consumers(tensor))
      passed.readers.push_back(static_cast<int>(pattern_at(reader)));
    if (index.is_graph_output(tensor)) passed.readers.push_back(static_cast<int>(outside));
    passed_.push_back(std::move(passed));
  };
  for (const ValueInfo& input : graph.inputs) add(input.name, outside);
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    for (const std::string& output : graph.nodes[node].outputs)
      add(output, pattern_at(static_cast<int>(node)));
  }
}

bool CostRecord::knew_all() const {
  for (std::size_t pattern = 0; pattern < patterns(); ++pattern) {
    if (can_be_integer_[pattern] && !estimates_[pattern].is_known) return false;
  }
  return true;
}

void CostRecord::learn(const Ledger& ledger, const std::vector<bool>& on_integers) {
  std::vector<double> seconds(patterns());
  for (std::size_t unit = 0; unit < pattern_of_unit_.size(); ++unit)
    seconds[pattern_of_unit_[unit]] += ledger.units[unit];
  for (std::size_t pattern = 0; pattern < patterns(); ++pattern) {
    const double one = seconds[pattern] / static_cast<double>(units_of_pattern_[pattern]);
    Estimate& estimate = estimates_[pattern];
    (on_integers[pattern] ? estimate.on_integers : estimate.on_float) = one;
  }
  learn_conversions(ledger);
}

void CostRecord::learn_conversions(const Ledger& ledger) {
  ConversionTime sum;
  double quantized = 0;
  double dequantized = 0;
  for (const auto& [tensor, time] : ledger.tensors) {
    const auto known = elements_.find(tensor);
    if (known == elements_.end()) continue;
    const auto elements = static_cast<double>(known->second);
    ConversionTime& observed = conversions_[tensor];
    if (time.quantize > 0) {
      observed.quantize = time.quantize;
      sum.quantize += std::max(0.0, time.quantize - kPerKernel);
      quantized += elements;
    }
    if (time.dequantize > 0) {
      observed.dequantize = time.dequantize;
      sum.dequantize += std::max(0.0, time.dequantize - kPerKernel);
      dequantized += elements;
    }
  }
  if (quantized > 0) per_element_.quantize = sum.quantize / quantized;
  if (dequantized > 0) per_element_.dequantize = sum.dequantize / dequantized;
}

ConversionTime CostRecord::conversion(const std::string& tensor) const {
  const auto elements = static_cast<double>(elements_.at(tensor));
  const ConversionTime estimate = {.quantize = kPerKernel + elements * per_element_.quantize,
                                   .dequantize = kPerKernel + elements * per_element_.dequantize};
  const auto observed = conversions_.find(tensor);
  if (observed == conversions_.end()) return estimate;
  const ConversionTime& time = observed->second;
  return {.quantize = time.quantize > 0 ? time.quantize : estimate.quantize,
          .dequantize = time.dequantize > 0 ? time.dequantize : estimate.dequantize};
}

SplitProblem CostRecord::problem() const {
  SplitProblem problem;
  for (std::size_t pattern = 0; pattern < patterns(); ++pattern) {
    const auto units = static_cast<double>(units_of_pattern_[pattern]);
    problem.items.push_back({.on_float = units * estimates_[pattern].on_float,
                             .on_integers = units * estimates_[pattern].on_integers,
                             .must_be_float = !can_be_integer_[pattern]});
  }
  problem.items.push_back({.must_be_float = true});
  for (const Passed& passed : passed_) {
    const ConversionTime time = conversion(passed.tensor);
    problem.values.push_back({.producer = static_cast<int>(passed.producer),
                              .readers = passed.readers,
                              .quantize = time.quantize,
                              .dequantize = time.dequantize});
  }
  return problem;
}

std::vector<bool> CostRecord::best_split() const {
  std::vector<bool> split = cheapest_split(problem());
  split.resize(patterns());
  return split;
}

double CostRecord::predicted(const std::vector<bool>& on_integers) const {
  std::vector<bool> all = on_integers;
  all.push_back(false);
  return cost_of(problem(), all);
}

double CostRecord::largest_time(std::size_t pattern) const {
  const Estimate& estimate = estimates_[pattern];
  return static_cast<double>(units_of_pattern_[pattern]) *
         std::max(estimate.on_float, estimate.on_integers);
}

std::vector<PatternCost> CostRecord::report(const std::vector<bool>& on_integers) const {
  constexpr double kMilliseconds = 1000;
  std::vector<PatternCost> rows;
  for (std::size_t pattern = 0; pattern < patterns(); ++pattern) {
    const auto units = static_cast<double>(units_of_pattern_[pattern]);
    rows.push_back({.pattern = names_[pattern],
                    .units = units_of_pattern_[pattern],
                    .float_ms = kMilliseconds * units * estimates_[pattern].on_float,
                    .integer_ms = kMilliseconds * units * estimates_[pattern].on_integers,
                    .can_be_integer = can_be_integer_[pattern],
                    .is_integer = on_integers[pattern]});
  }
  const auto is_integer = [&](std::size_t pattern) {
    return pattern < patterns() && on_integers[pattern];
  };
  // A conversion counts for the pattern that writes the tensor, or reads it when that is an input.
  for (const Passed& passed : passed_) {
    const bool from_integers = is_integer(passed.producer);
    const auto other = std::ranges::find_if(passed.readers, [&](int reader) {
      return is_integer(static_cast<std::size_t>(reader)) != from_integers;
    });
    if (other == passed.readers.end()) continue;
    const ConversionTime time = conversion(passed.tensor);
    const std::size_t row =
        passed.producer < patterns() ? passed.producer : static_cast<std::size_t>(*other);
    rows[row].conversions_ms += kMilliseconds * (from_integers ? time.dequantize : time.quantize);
  }
  std::ranges::stable_sort(rows, std::ranges::greater(), [](const PatternCost& row) {
    return std::max(row.float_ms, row.integer_ms);
  });
  return rows;
}

KnownCosts CostRecord::known() const {
  KnownCosts costs;
  for (std::size_t pattern = 0; pattern < patterns(); ++pattern) {
    if (can_be_integer_[pattern])
      costs.patterns[names_[pattern]] = {.on_float = estimates_[pattern].on_float,
                                         .on_integers = estimates_[pattern].on_integers};
  }
  return costs;
}

}  // namespace quantsearch
