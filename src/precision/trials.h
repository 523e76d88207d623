#pragma once

// Models of an assignment of formats to layers, and what they reach: nothing is decided without
// one.

#include <memory>
#include <vector>

#include "precision/changed_classes.h"
#include "precision/layers.h"

namespace quantsearch {

/// Index of the format of each layer: 0 is low, the rest are PrecisionOptions::high.
using Assignment = std::vector<int>;

struct FormatOutcome {
  /// rel_l2, the metric, shares of changed classes, size. Of a model whose run was ended because it
  /// misses a limit, the size alone.
  std::map<std::string, double> scores;
  bool meets = false;     // every limit on what the model does and weighs
  std::string shortfall;  // which limit it misses, and by what
  [[nodiscard]] double noise() const { return scores.at("rel_l2"); }
};

/// All of them when there are no more.
[[nodiscard]] std::shared_ptr<const DataSource> first_samples(
    const std::shared_ptr<const DataSource>& data, std::int64_t count);

/// Throws InvalidInput for a model of which every layer has been left float.
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

  /// Samples that judge from now on. Forgets earlier outcomes.
  void judge_on(std::shared_ptr<const DataSource> data);
  /// Runs the model on all samples, unless it has been.
  [[nodiscard]] const FormatOutcome& run(const Assignment& assignment);
  /// The same for several, side by side.
  void run_all(const std::vector<Assignment>& assignments);
  /// Whether every limit holds; runs no more samples than it takes to see that one does not.
  [[nodiscard]] bool meets(const Assignment& assignment);
  [[nodiscard]] std::map<std::string, NodeFormat> formats_of(const Assignment& assignment) const;
  [[nodiscard]] QuantizedModel model_of(const Assignment& assignment) const;
  /// Of a model that was made from one of model_of, on all samples.
  [[nodiscard]] FormatOutcome outcome_of(const Model& finished) const;
  /// The outcome when it is known, null otherwise: runs nothing.
  [[nodiscard]] const FormatOutcome* known(const Assignment& assignment) const;
  /// Models that were run in all.
  [[nodiscard]] int evaluations() const { return evaluations_; }

 private:
  enum class Effort { all_samples, until_missed };
  [[nodiscard]] std::optional<std::string> output_name() const;
  [[nodiscard]] FormatOutcome outcome_of(const Assignment& assignment, Effort effort) const;
  [[nodiscard]] Assignment judged(Assignment assignment) const;
  [[nodiscard]] QuantizedModel judged_model(const Assignment& assignment) const;
  [[nodiscard]] FormatOutcome score(const Model& candidate, Effort effort) const;
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
  std::optional<ReferenceClasses> classes_;    // with a limit on them
  std::map<Assignment, FormatOutcome> known_;  // by judged()
  int evaluations_ = 0;
};

/// rel_l2 of the outputs that each layer alone adds with `format` when every other layer has the
/// most precise one; 0 where a layer is not free.
[[nodiscard]] std::vector<double> added_noise(Trials& trials, const std::vector<Layer>& layers,
                                              const PrecisionOptions& options, int format);

}  // namespace quantsearch
