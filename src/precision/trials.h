#pragma once

// Builds and runs the models of assignments of formats to layers. Every decision is based on such a
// run.

#include <memory>
#include <vector>

#include "precision/changed_classes.h"
#include "precision/kept_prefix.h"
#include "precision/layers.h"

namespace quantsearch {

/// The index of each layer's format: 0 is `low`, and i > 0 is PrecisionOptions::high[i - 1].
using Assignment = std::vector<int>;

struct FormatOutcome {
  /// rel_l2, the metrics with thresholds, shares of changed classes, size. Only the size for a
  /// model whose run ended early because it misses a limit.
  std::map<std::string, double> scores;
  bool meets = false;     // every limit on the outputs holds
  std::string shortfall;  // the missed limits with the values
  [[nodiscard]] double noise() const { return scores.at("rel_l2"); }
};

/// The first `count` samples, or all if there are fewer.
[[nodiscard]] std::shared_ptr<const DataSource> first_samples(
    const std::shared_ptr<const DataSource>& data, std::int64_t count);

/// Throws InvalidInput for a model in which every layer stays float.
void require_quantized(const QuantizedModel& model, std::size_t layers);

class Trials {
 public:
  Trials(const Model& model, const CalibrationResult& calibration,
         const QuantizeOptions& quantization, const std::vector<Layer>& layers,
         const PrecisionOptions& options, const PrecisionContext& context)
      : model_(model),
        calibration_(calibration),
        quantization_(quantization),
        layers_(layers),
        options_(options),
        context_(context) {}

  /// Sets the samples for all further runs and discards earlier outcomes.
  void judge_on(std::shared_ptr<const DataSource> data);
  /// The outcome on all samples; runs the model unless it is known.
  [[nodiscard]] const FormatOutcome& run(const Assignment& assignment);
  /// Runs those of several models that are not known, in parallel. Each runs only what comes after
  /// the tensors that it has in common with the model of `base`, which is run first.
  void run_all(const Assignment& base, const std::vector<Assignment>& assignments);
  /// True when every limit holds; the run ends as soon as one is missed.
  [[nodiscard]] bool meets(const Assignment& assignment);
  [[nodiscard]] std::map<std::string, NodeFormat> formats_of(const Assignment& assignment) const;
  [[nodiscard]] QuantizedModel model_of(const Assignment& assignment) const;
  /// The outcome on all samples of a model that was finished from a result of model_of().
  [[nodiscard]] FormatOutcome outcome_of(const Model& finished) const;
  /// The outcome if it is known, else null; runs nothing.
  [[nodiscard]] const FormatOutcome* known(const Assignment& assignment) const;
  /// The number of all models that were run.
  [[nodiscard]] int evaluations() const { return evaluations_; }

 private:
  enum class Effort { all_samples, until_missed };
  [[nodiscard]] std::optional<std::string> output_name() const;
  /// `prefix`: tensors that the model may begin at; may be null.
  [[nodiscard]] FormatOutcome outcome_of(const Assignment& assignment, Effort effort,
                                         const KeptPrefix* prefix = nullptr) const;
  [[nodiscard]] Assignment judged(Assignment assignment) const;
  [[nodiscard]] QuantizedModel judged_model(const Assignment& assignment) const;
  [[nodiscard]] FormatOutcome score(const Model& candidate, Effort effort,
                                    const KeptPrefix* prefix = nullptr) const;
  [[nodiscard]] EvaluateOptions evaluation(Effort effort) const;
  [[nodiscard]] bool classes_can_hold(const ClassCounter& counter) const;
  void judge(FormatOutcome& outcome) const;

  const Model& model_;
  const CalibrationResult& calibration_;
  const QuantizeOptions& quantization_;
  const std::vector<Layer>& layers_;
  const PrecisionOptions& options_;
  const PrecisionContext& context_;
  std::unique_ptr<Reference> reference_;
  std::optional<ReferenceClasses> classes_;    // present when there is a limit on classes
  std::map<Assignment, FormatOutcome> known_;  // by judged() assignment
  int evaluations_ = 0;
};

/// The rel_l2 of the outputs that each of these layers adds with `format` when every other layer
/// has the most precise one; 0 for the other layers.
[[nodiscard]] std::vector<double> added_noise(Trials& trials, const std::vector<bool>& of_layers,
                                              const PrecisionOptions& options, int format);
/// The layers that may choose a format.
[[nodiscard]] std::vector<bool> free_layers(const std::vector<Layer>& layers);

}  // namespace quantsearch
