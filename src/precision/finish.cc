// The formats were chosen from models with 16-bit weights, which have hardly any noise. The noise
// that reconstruction leaves in the weights is measured here on the finished model. If it breaks a
// limit, layers get more precise formats in the order of their sensitivity.

#include <fmt/core.h>

#include <algorithm>
#include <functional>

#include "precision/assign.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

struct Upgrade {
  std::size_t layer = 0;
  int format = 0;
};

/// Finds the fewest upgrades with which the reconstructed model keeps the limits.
class UpgradeSearch {
 public:
  /// Returns, by layer, the noise that a format of this layer alone adds to the outputs when
  /// weights are not reconstructed.
  using NoiseByLayer = std::function<std::vector<double>(int format)>;

  UpgradeSearch(const Trials& trials, const NoiseByLayer& noise, const std::vector<Layer>& layers,
                const PrecisionOptions& options, const PrecisionResult& chosen,
                const FinishModel& finish, const PrecisionContext& context)
      : trials_(trials),
        layers_(layers),
        options_(options),
        chosen_(chosen),
        finish_(finish),
        context_(context),
        first_(assignment_of(chosen)),
        noise_(noise) {}

  struct Outcome {
    Assignment assignment;
    FormatOutcome reached;
    int models = 0;
  };

  Outcome run() {
    std::size_t count = 0;
    FormatOutcome reached = outcome(0);
    if (!reached.meets) {
      upgrades_ = upgrades();
      require_choice(reached);
      reached = outcome(upgrades_.size());
      require_reachable(reached);
      std::size_t low = 1;
      for (count = upgrades_.size(); low < count;) {
        const std::size_t middle = (low + count) / 2;
        FormatOutcome there = outcome(middle);
        if (there.meets) {
          count = middle;
          reached = std::move(there);
        } else {
          low = middle + 1;
        }
      }
    }
    const Assignment assignment = upgraded(count);
    require_budget(assignment, options_, [&] { return reached.scores.at("size_bytes"); });
    return {.assignment = assignment, .reached = reached, .models = models_};
  }

 private:
  [[nodiscard]] Assignment assignment_of(const PrecisionResult& result) const {
    Assignment assignment(layers_.size(), 0);
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
      if (!result.layers[layer].is_high) continue;
      const auto found = std::ranges::find(options_.high, result.layers[layer].format);
      assignment[layer] = static_cast<int>(found - options_.high.begin()) + 1;
    }
    return assignment;
  }

  /// The format that gives a layer more precise weights without changing its activations; the most
  /// precise format if there is none.
  [[nodiscard]] int with_precise_weights(int format) const {
    const NodeFormat& now =
        format == 0 ? options_.low : options_.high[static_cast<std::size_t>(format) - 1];
    const auto found = std::ranges::find_if(options_.high, [&](const NodeFormat& more) {
      return !more.keep_float && more.activation == now.activation &&
             more.weight != options_.low.weight;
    });
    return found == options_.high.end() ? static_cast<int>(options_.high.size())
                                        : static_cast<int>(found - options_.high.begin()) + 1;
  }

  /// The noise that low weights add to the outputs before reconstruction, which reduces it by a
  /// similar factor in all layers.
  [[nodiscard]] std::vector<Sensitivity> sensitivities_to_weights() const {
    const auto low_weights = std::ranges::find_if(options_.high, [&](const NodeFormat& format) {
      return !format.keep_float && format.weight == options_.low.weight;
    });
    const int format = low_weights == options_.high.end()
                           ? 0
                           : static_cast<int>(low_weights - options_.high.begin()) + 1;
    const std::vector<double> added = noise_(format);
    std::vector<Sensitivity> sensitivities;
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
      sensitivities.push_back(
          {.estimates = chosen_.layers[layer].estimates, .measured = added[layer]});
    }
    return sensitivities;
  }

  /// The upgrades in the order in which they are applied. The choice of formats did not include the
  /// noise of weights, so the weights of layers above the low format come first, then those of the
  /// other layers, and then the most precise format for all layers.
  [[nodiscard]] std::vector<Upgrade> upgrades() const {
    const std::vector<std::size_t> order = by_sensitivity(layers_, sensitivities_to_weights());
    Assignment assignment = first_;
    std::vector<Upgrade> made;
    const auto upgrade = [&](std::size_t layer, int format) {
      if (format <= assignment[layer]) return;
      assignment[layer] = format;
      made.push_back({.layer = layer, .format = format});
    };
    for (const bool is_high : {true, false}) {
      for (const std::size_t layer : order) {
        if ((first_[layer] > 0) == is_high) upgrade(layer, with_precise_weights(first_[layer]));
      }
    }
    for (const std::size_t layer : order) upgrade(layer, static_cast<int>(options_.high.size()));
    return made;
  }

  [[nodiscard]] Assignment upgraded(std::size_t count) const {
    Assignment assignment = first_;
    for (std::size_t at = 0; at < count; ++at)
      assignment[upgrades_[at].layer] = upgrades_[at].format;
    return assignment;
  }

  [[nodiscard]] FormatOutcome outcome(std::size_t count) {
    context_.token.throw_if_cancelled();
    ++models_;
    FormatOutcome reached = trials_.outcome_of(finish_(trials_.model_of(upgraded(count)))->model);
    say(context_.log, LogLevel::detail,
        fmt::format("precision: finished with {} formats more precise: rel_l2 {:.6g}{}{}", count,
                    reached.noise(), reached.meets ? "" : ", ", reached.shortfall));
    return reached;
  }

  void require_choice(const FormatOutcome& reached) const {
    if (!upgrades_.empty() && options_.goal != PrecisionGoal::best_in_budget) return;
    throw InvalidInput(
        fmt::format("precision: after reconstruction {}; loosen the limits or allow more layers",
                    reached.shortfall));
  }

  void require_reachable(const FormatOutcome& reached) const {
    if (reached.meets) return;
    throw InvalidInput(
        fmt::format("precision: after reconstruction, with all layers in the most precise format, "
                    "{}; give a more precise format, "
                    "looser limits or more layers to choose from",
                    reached.shortfall));
  }

  const Trials& trials_;
  const std::vector<Layer>& layers_;
  const PrecisionOptions& options_;
  const PrecisionResult& chosen_;
  const FinishModel& finish_;
  const PrecisionContext& context_;
  Assignment first_;
  const NoiseByLayer& noise_;
  std::vector<Upgrade> upgrades_;  // filled when a limit is missed
  int models_ = 0;
};

void note_changes(PrecisionResult& result, const Assignment& assignment,
                  const PrecisionOptions& options) {
  for (std::size_t at = 0; at < assignment.size(); ++at) {
    LayerPrecision& row = result.layers[at];
    if (assignment[at] == 0) continue;
    const NodeFormat& format = options.high[static_cast<std::size_t>(assignment[at]) - 1];
    if (row.is_high && row.format == format) continue;
    row.is_high = true;
    row.format = format;
    row.reason = "needs a higher format once the weights are reconstructed: " + row.reason;
  }
}

}  // namespace

PrecisionResult finish_precision(const Model& model, const CalibrationResult& calibration,
                                 const QuantizeOptions& quantization,
                                 std::shared_ptr<const DataSource> data,
                                 const PrecisionOptions& options, PrecisionResult chosen,
                                 const FinishModel& finish, const PrecisionContext& context) {
  if (!limits_outputs(options))
    return chosen;                           // a budget does not depend on the outputs of the model
  if (chosen.layers.empty()) return chosen;  // all layers are inside bodies
  const std::vector<Layer> layers = find_layers(model, quantization, options);
  Trials trials(model, calibration, quantization, layers, options, context);
  trials.judge_on(first_samples(data, options.samples));
  int measured = 0;
  const UpgradeSearch::NoiseByLayer noise = [&](int format) {
    PrecisionOptions as_quantized = options;
    as_quantized.weights_reconstructed = false;
    Trials probing(model, calibration, quantization, layers, as_quantized, context);
    probing.judge_on(first_samples(data, options.probe_samples));
    std::vector<double> added = added_noise(probing, free_layers(layers), options, format);
    measured += probing.evaluations();
    return added;
  };
  const UpgradeSearch::Outcome finished =
      UpgradeSearch(trials, noise, layers, options, chosen, finish, context).run();
  note_changes(chosen, finished.assignment, options);
  chosen.quantized = trials.model_of(finished.assignment);
  require_quantized(chosen.quantized, layers.size());
  chosen.node_formats = trials.formats_of(finished.assignment);
  chosen.high_layers =
      static_cast<int>(std::ranges::count_if(chosen.layers, &LayerPrecision::is_high));
  chosen.scores = finished.reached.scores;
  chosen.evaluations += finished.models + measured;
  say(context.log, LogLevel::info,
      fmt::format("precision: {} of {} layers have more than the low format with reconstructed "
                  "weights; {} models were "
                  "reconstructed",
                  chosen.high_layers, layers.size(), finished.models));
  return chosen;
}

}  // namespace quantsearch
