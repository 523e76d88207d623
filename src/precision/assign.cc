// The layers are ordered by the noise that their low format alone adds to the outputs. Noise
// energies are nearly additive, so the shortest prefix of that order that meets the limits solves
// the knapsack problem "remove as much noise as needed with the fewest layers" under additive noise
// (the Lagrange solution, since every layer costs the same). Where the noise is not additive, runs
// of real models correct the result: promoted layers are demoted again as far as the limits hold. A
// step that fails is undone, and the search continues with the next.
//
// With a limit on the noise, additivity also says which demotions can succeed: the group that is
// predicted to fit into what the limit leaves is tried, and then single layers, up to those whose
// predicted noise is several times of what is left. With other limits whole groups are demoted
// together, then halves, down to single layers (Zeller's delta debugging, "Simplifying and
// Isolating Failure-Inducing Input", 2002).

#include "precision/assign.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <span>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

// A layer that is predicted to add so many times the noise that the limit leaves is not tried.
constexpr double kHopeless = 4;

std::int64_t high_layers(const Assignment& assignment) {
  return std::ranges::count_if(assignment, [](int format) { return format > 0; });
}

class Search {
 public:
  Search(Trials& trials, const AssignmentProblem& problem)
      : trials_(trials),
        problem_(problem),
        layers_(problem.layers),
        options_(problem.options),
        log_(problem.log),
        order_(by_sensitivity(problem.layers, problem.sensitivities)),
        best_format_(static_cast<int>(problem.options.high.size())) {}

  Assignment run() {
    if (options_.goal == PrecisionGoal::best_in_budget || !limits_outputs(options_))
      return fill_budget();
    require_reachable();
    Assignment assignment = promoted(shortest_prefix());
    log_state("proposal", assignment);
    assignment = simplified(std::move(assignment), 0);
    log_state("after taking promotions back", assignment);
    for (int format = 1; format < best_format_; ++format) {
      assignment = simplified(std::move(assignment), format);
    }
    require_budget(assignment, options_, bytes_of(assignment));
    return assignment;
  }

 private:
  /// The `count` most sensitive layers in the most precise format.
  [[nodiscard]] Assignment promoted(std::size_t count) const {
    Assignment assignment(layers_.size(), 0);
    for (std::size_t at = 0; at < count; ++at) assignment[order_[at]] = best_format_;
    return assignment;
  }

  void require_reachable() {
    const FormatOutcome& outcome = trials_.run(promoted(order_.size()));
    if (outcome.meets) return;
    throw InvalidInput(fmt::format(
        "precision: with all {} layers in the most precise format {}; give a more precise format, "
        "looser limits or more layers to choose from",
        order_.size(), outcome.shortfall));
  }

  /// Bisection for the least number of promoted layers that meets the limits. It assumes that more
  /// layers are never worse; simplified() corrects the result where that is wrong.
  [[nodiscard]] std::size_t shortest_prefix() {
    std::size_t low = 0;
    std::size_t high = order_.size();  // meets the limits
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (trials_.meets(promoted(middle))) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return high;
  }

  /// Moves promoted layers to the cheaper `format` as long as the limits hold.
  [[nodiscard]] Assignment simplified(Assignment assignment, int format) {
    std::vector<std::size_t> candidates;
    for (const std::size_t layer : order_) {
      if (assignment[layer] > format) candidates.push_back(layer);
    }
    if (candidates.empty()) return assignment;
    std::ranges::reverse(candidates);
    const auto limit = options_.thresholds.find(Metric::rel_l2);
    if (limit == options_.thresholds.end())
      return lowered_by_halves(std::move(assignment), std::move(candidates), format);
    std::vector<bool> is_candidate(layers_.size());
    for (const std::size_t layer : candidates) is_candidate[layer] = true;
    added_ = problem_.noise(is_candidate, format);
    std::ranges::stable_sort(candidates, {}, [this](std::size_t layer) { return added_[layer]; });
    return lowered_by_prediction(std::move(assignment), std::move(candidates), format,
                                 limit->second);
  }

  [[nodiscard]] Assignment lowered(const Assignment& assignment,
                                   std::span<const std::size_t> layers, int format) const {
    Assignment cheaper = assignment;
    for (const std::size_t layer : layers) cheaper[layer] = format;
    return cheaper;
  }

  /// Takes the candidates, which are in the order of the noise that they are predicted to add, in
  /// groups as large as the limit is predicted to allow. What misses it is halved. It ends at a
  /// layer that is predicted to add several times as much as the limit leaves.
  [[nodiscard]] Assignment lowered_by_prediction(Assignment assignment,
                                                 std::vector<std::size_t> candidates, int format,
                                                 double limit) {
    std::span<const std::size_t> left = candidates;
    while (!left.empty()) {
      const double room = limit - trials_.run(assignment).noise();
      std::size_t count = fitting(left, room);
      if (added_[left[0]] > kHopeless * room) break;
      Assignment cheaper = lowered(assignment, left.first(count), format);
      while (!trials_.meets(cheaper) && count > 1) {
        count = (count + 1) / 2;
        cheaper = lowered(assignment, left.first(count), format);
      }
      if (trials_.meets(cheaper)) assignment = std::move(cheaper);
      left = left.subspan(count);
    }
    return assignment;
  }

  /// The number of layers that fit into the room according to the prediction, at least one.
  [[nodiscard]] std::size_t fitting(std::span<const std::size_t> layers, double room) const {
    double sum = 0;
    std::size_t count = 0;
    while (count < layers.size()) {
      sum += added_[layers[count]];
      if (sum > room) break;
      ++count;
    }
    return std::max<std::size_t>(1, count);
  }

  /// The least sensitive first, in groups of halves, quarters, … single layers.
  [[nodiscard]] Assignment lowered_by_halves(Assignment assignment,
                                             std::vector<std::size_t> candidates, int format) {
    for (std::size_t size = std::max<std::size_t>(1, candidates.size() / 2); size > 0; size /= 2) {
      std::vector<std::size_t> kept;
      for (std::size_t begin = 0; begin < candidates.size(); begin += size) {
        const std::size_t end = std::min(candidates.size(), begin + size);
        const std::span<const std::size_t> group(candidates.data() + begin, end - begin);
        Assignment cheaper = lowered(assignment, group, format);
        if (trials_.meets(cheaper)) {
          assignment = std::move(cheaper);
        } else {
          kept.insert(kept.end(), group.begin(), group.end());
        }
      }
      candidates = std::move(kept);
    }
    return assignment;
  }

  [[nodiscard]] std::function<double()> bytes_of(const Assignment& assignment) {
    return [this, &assignment] { return trials_.run(assignment).scores.at("size_bytes"); };
  }

  /// Promotes the most sensitive layers that fit into the budget, each only if it lowers the noise.
  [[nodiscard]] Assignment fill_budget() {
    Assignment assignment(layers_.size(), 0);
    for (const std::size_t layer : order_) {
      Assignment more = assignment;
      more[layer] = best_format_;
      if (!is_within_budget(more, options_, bytes_of(more))) continue;
      if (trials_.run(more).noise() < trials_.run(assignment).noise()) assignment = std::move(more);
    }
    log_state("within the budget", assignment);
    const FormatOutcome& outcome = trials_.run(assignment);
    if (!outcome.meets) {
      throw InvalidInput(
          fmt::format("precision: with the {} of {} layers that the budget allows in the most "
                      "precise format {}; "
                      "allow more layers or bytes, or loosen the other limits",
                      high_layers(assignment), layers_.size(), outcome.shortfall));
    }
    return assignment;
  }

  void log_state(std::string_view what, const Assignment& assignment) {
    const FormatOutcome* const outcome = trials_.known(assignment);
    say(log_, LogLevel::detail,
        fmt::format("precision: {}: {} of {} layers above the low format{}, {} models run", what,
                    high_layers(assignment), layers_.size(),
                    outcome != nullptr ? fmt::format(", rel_l2 {:.6g}", outcome->noise()) : "",
                    trials_.evaluations()));
  }

  Trials& trials_;
  const AssignmentProblem& problem_;
  const std::vector<Layer>& layers_;
  const PrecisionOptions& options_;
  const LogSink& log_;
  std::vector<std::size_t> order_;
  std::vector<double> added_;  // by layer: the noise of the format that is tried
  int best_format_;
};

}  // namespace

bool limits_outputs(const PrecisionOptions& options) {
  return !options.thresholds.empty() || options.changed_classes || options.changed_rare_classes;
}

bool is_within_budget(const Assignment& assignment, const PrecisionOptions& options,
                      const std::function<double()>& bytes) {
  const std::int64_t high = high_layers(assignment);
  const auto layers = static_cast<std::int64_t>(assignment.size());
  if (options.max_high_layers && high > *options.max_high_layers) return false;
  if (options.min_low_layers && layers - high < *options.min_low_layers) return false;
  const auto share = static_cast<double>(high) / static_cast<double>(layers);
  if (options.max_high_share && share > *options.max_high_share) return false;
  return !options.max_bytes || bytes() <= static_cast<double>(*options.max_bytes);
}

void require_budget(const Assignment& assignment, const PrecisionOptions& options,
                    const std::function<double()>& bytes) {
  if (is_within_budget(assignment, options, bytes)) return;
  throw InvalidInput(fmt::format(
      "precision: the limits on the outputs need {} of {} layers above the low format and {} "
      "bytes, which is over the limit of layers, share or bytes; loosen one of them",
      high_layers(assignment), assignment.size(), static_cast<std::int64_t>(bytes())));
}

std::vector<std::size_t> by_sensitivity(const std::vector<Layer>& layers,
                                        const std::vector<Sensitivity>& sensitivities) {
  std::vector<std::size_t> order;
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    if (layers[layer].is_free) order.push_back(layer);
  }
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    if (sensitivities[a].measured != sensitivities[b].measured)
      return sensitivities[a].measured > sensitivities[b].measured;
    return sensitivities[a].estimates.front() > sensitivities[b].estimates.front();
  });
  return order;
}

Assignment assign_formats(Trials& trials, const AssignmentProblem& problem) {
  return Search(trials, problem).run();
}

}  // namespace quantsearch
