#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "placement/cost_record.h"
#include "placement/traceable_names.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/stopwatch.h"
#include "quantsearch/internal/evaluate/latency_check.h"
#include "quantsearch/internal/runtime/kernel_times.h"
#include "quantsearch/placement.h"
#include "quantsearch/runtime.h"

namespace quantsearch {

namespace {

using Split = std::vector<bool>;  // by pattern: true on integers

constexpr int kMostRounds = 5;
// A difference below this share of a latency is noise.
constexpr double kGain = 0.02;
// The interval of a gain may reach beyond 1 by this share of it: on a busy machine the intervals of
// clear gains are wide.
constexpr double kDoubt = 0.25;
// A change is measured when it is predicted to lose at most this share.
constexpr double kHope = 0.05;
// Placements within this share of the fastest are returned, at most so many.
constexpr double kAlternative = 0.05;
constexpr std::size_t kMostAlternatives = 3;
constexpr LatencyEffort kEffort = {.fewest_pairs = 11, .seconds = 0.2, .most_seconds = 2};

std::map<std::string, std::int64_t> elements_of(const Model& model, const Batch& sample) {
  std::vector<std::string> tensors;
  for (const ValueInfo& input : model.graph.inputs) tensors.push_back(input.name);
  for (const Node& node : model.graph.nodes) {
    for (const std::string& output : node.outputs) {
      if (!output.empty()) tensors.push_back(output);
    }
  }
  constexpr std::int64_t kBytesOfFloat = 4;
  const std::vector<std::int64_t> bytes = tensor_sizes(model, sample, tensors);
  std::map<std::string, std::int64_t> elements;
  for (std::size_t at = 0; at < tensors.size(); ++at)
    elements[tensors[at]] = bytes[at] / kBytesOfFloat;
  return elements;
}

class PlacementSearch {
 public:
  PlacementSearch(const PlacementInput& input, const PlacementOptions& options)
      : input_(input),
        options_(options),
        graph_(input.simplified.graph),
        all_integer_(input.build({})),
        float_kernels_(profile(input.simplified)),
        units_(find_units(graph_, float_kernels_, all_integer_->layers)),
        costs_(graph_, units_, elements_of(input.simplified, input.sample), options.known),
        latencies_(input.float_model, input.sample, {.threads = options.threads}, kEffort) {}

  PlacementResult run() {
    const Split everything = possible();
    measure(everything);
    if (!costs_.knew_all()) {
      costs_.learn(float_ledger(units_, float_kernels_), Split(costs_.patterns()));
      learn_from(everything, *all_integer_);
    }
    predict_and_measure();
    refine();
    return result(everything);
  }

 private:
  struct Measured {
    Placement placement;
    double predicted = 0;
  };

  [[nodiscard]] std::vector<KernelTime> profile(const Model& model) const {
    return kernel_times(with_traceable_names(model), input_.sample,
                        {.threads = options_.threads, .token = options_.token});
  }

  [[nodiscard]] bool has_time() const {
    options_.token.throw_if_cancelled();
    return watch_.seconds() < options_.seconds;
  }

  [[nodiscard]] Split possible() const {
    Split split(costs_.patterns());
    for (std::size_t pattern = 0; pattern < split.size(); ++pattern)
      split[pattern] = costs_.can_be_integer(pattern);
    return split;
  }

  [[nodiscard]] std::vector<std::string> float_nodes(const Split& split) const {
    std::vector<std::string> nodes;
    for (std::size_t unit = 0; unit < units_.units.size(); ++unit) {
      const std::size_t pattern = costs_.pattern_of(unit);
      if (!costs_.can_be_integer(pattern) || split[pattern]) continue;
      for (const int node : units_.units[unit].nodes) nodes.push_back(node_label(graph_, node));
    }
    return nodes;
  }

  void learn_from(const Split& split, const QuantizedModel& quantized) {
    costs_.learn(quantized_ledger(graph_, units_, quantized.model.graph, profile(quantized.model)),
                 split);
  }

  [[nodiscard]] std::shared_ptr<const QuantizedModel> built(
      const std::vector<std::string>& float_nodes) const {
    return float_nodes.empty() ? all_integer_ : input_.build(float_nodes);
  }

  /// Measures the model of a split beside the float model; returns false when a model with the same
  /// kernels was measured before, when it has nothing on integers or does not run.
  bool measure(const Split& split) {
    if (!tried_.insert(split).second || std::ranges::count(split, true) == 0) return false;
    const std::vector<std::string> nodes = float_nodes(split);
    try {
      const auto quantized = built(nodes);
      if (!kernels_.insert(kernel_key(quantized->model)).second) return false;
      Measured made{.placement = {.float_nodes = nodes,
                                  .latency = latencies_.measure(quantized->model, options_.token),
                                  .conversions = conversions_of(quantized->model)},
                    .predicted = costs_.predicted(split)};
      log(made);
      if (split != possible()) learn_from(split, *quantized);
      if (is_faster_than_best(made.placement.latency, *quantized)) {
        best_ = split;
        best_model_ = quantized;
      }
      measured_.emplace(split, std::move(made));
    } catch (const Cancelled&) {
      throw;
    } catch (const Error& error) {
      say(options_.log, LogLevel::detail,
          fmt::format("placement: {} nodes left float: {}", nodes.size(), error.what()));
      return false;
    }
    return true;
  }

  /// A gain over the best so far must also show beside it, because the two ratios to the float
  /// model were measured at different times.
  [[nodiscard]] bool is_faster_than_best(const PairedLatency& latency,
                                         const QuantizedModel& quantized) const {
    if (!best_) return true;
    if (latency.ratio >= (1 - kGain) * measured_.at(*best_).placement.latency.ratio) return false;
    const SessionOptions options{.threads = options_.threads};
    const PairedLatency beside =
        measure_pairs(*open_session(best_model_->model, options),
                      *open_session(quantized.model, options), input_.sample,
                      {.threads = options_.threads,
                       .minimum_runs = kEffort.fewest_pairs,
                       .seconds = kEffort.seconds,
                       .token = options_.token},
                      kEffort.most_seconds);
    say(options_.log, LogLevel::detail,
        fmt::format("placement: {:.3f} times the fastest so far ({:.3f} to {:.3f})", beside.ratio,
                    beside.ratio_low, beside.ratio_high));
    const double gain = 1 - beside.ratio;
    return gain > kGain && beside.ratio_high - 1 < kDoubt * gain;
  }

  void log(const Measured& made) const {
    const PairedLatency& latency = made.placement.latency;
    say(options_.log, LogLevel::detail,
        fmt::format("placement: {} nodes left float: {:.3f} times float ({:.3f} to {:.3f}), {} "
                    "conversions; predicted {:.3f} ms, measured {:.3f} ms",
                    made.placement.float_nodes.size(), latency.ratio, latency.ratio_low,
                    latency.ratio_high, made.placement.conversions, 1000 * made.predicted,
                    latency.quantized_ms));
  }

  void predict_and_measure() {
    for (int round = 0; round < kMostRounds && has_time(); ++round) {
      if (!measure(costs_.best_split())) return;
    }
  }

  /// The operator with which a pattern begins.
  [[nodiscard]] std::string family(std::size_t pattern) const {
    const std::string& name = costs_.name(pattern);
    return name.substr(0, name.find(' '));
  }

  /// Changes whole families and then single patterns, those with most time first, as long as one of
  /// them makes the model faster.
  void refine() {
    std::vector<std::set<std::size_t>> moves;
    std::map<std::string, std::set<std::size_t>> families;
    std::vector<std::size_t> patterns;
    for (std::size_t pattern = 0; pattern < costs_.patterns(); ++pattern) {
      if (!costs_.can_be_integer(pattern)) continue;
      families[family(pattern)].insert(pattern);
      patterns.push_back(pattern);
    }
    for (const auto& [name, members] : families) {
      if (members.size() > 1) moves.push_back(members);
    }
    std::ranges::stable_sort(patterns, std::ranges::greater(),
                             [&](std::size_t pattern) { return costs_.largest_time(pattern); });
    for (const std::size_t pattern : patterns) moves.push_back({pattern});
    for (const std::set<std::size_t>& move : moves) {
      for (const bool to_integers : {false, true}) try_move(move, to_integers);
    }
  }

  void try_move(const std::set<std::size_t>& move, bool to_integers) {
    if (!best_ || !has_time()) return;
    Split changed = *best_;
    for (const std::size_t pattern : move) changed[pattern] = to_integers;
    if (costs_.predicted(changed) <= (1 + kHope) * costs_.predicted(*best_)) measure(changed);
  }

  PlacementResult result(const Split& everything) const {
    PlacementResult found;
    found.measured = std::ssize(measured_);
    found.costs = options_.known;
    for (const auto& [pattern, cost] : costs_.known().patterns)
      found.costs.patterns.insert_or_assign(pattern, cost);
    if (!best_) return found;
    found.patterns = costs_.report(*best_);
    const double best = measured_.at(*best_).placement.latency.ratio;
    std::vector<const Placement*> others;
    for (const auto& [split, made] : measured_) {
      if (split != *best_ && split != everything &&
          made.placement.latency.ratio <= (1 + kAlternative) * best)
        others.push_back(&made.placement);
    }
    std::ranges::stable_sort(others, {}, [](const Placement* at) { return at->latency.ratio; });
    others.resize(std::min(others.size(), kMostAlternatives - 1));
    found.placements.push_back(measured_.at(*best_).placement);
    for (const Placement* other : others) found.placements.push_back(*other);
    if (*best_ != everything && measured_.contains(everything))
      found.placements.push_back(measured_.at(everything).placement);
    return found;
  }

  const PlacementInput& input_;
  const PlacementOptions& options_;
  const Graph& graph_;
  Stopwatch watch_;
  std::shared_ptr<const QuantizedModel> all_integer_;
  std::vector<KernelTime> float_kernels_;
  Units units_;
  CostRecord costs_;
  LatencyCheck latencies_;
  std::set<Split> tried_;
  std::set<Key> kernels_;  // of the measured models
  std::map<Split, Measured> measured_;
  std::optional<Split> best_;  // the fastest measured
  std::shared_ptr<const QuantizedModel> best_model_;
};

}  // namespace

PlacementResult find_placement(const PlacementInput& input, const PlacementOptions& options) {
  return PlacementSearch(input, options).run();
}

}  // namespace quantsearch
