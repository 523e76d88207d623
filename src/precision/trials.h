#pragma once

// Models of an assignment of formats to layers, and what they reach: nothing is decided without
// one.

#include <memory>
#include <vector>

#include "precision/layers.h"

namespace quantsearch {

/// Index of the format of each layer: 0 is low, the rest are PrecisionOptions::high.
using Assignment = std::vector<int>;

struct FormatOutcome {
  std::map<std::string, double> scores;  // rel_l2, the metric, shares of changed classes, size
  bool meets = false;                    // every limit on what the model does and weighs
  std::string shortfall;                 // which limit it misses, and by what
  [[nodiscard]] double noise() const { return scores.at("rel_l2"); }
};

class Trials {
 public:
  Trials(const Model& model, const RangesByType& ranges, const QuantizeOptions& quantization,
         const std::vector<Layer>& layers, const PrecisionOptions& options,
         const PrecisionContext& context)
      : model_(model),
        ranges_(ranges),
        quantization_(quantization),
        layers_(layers),
        options_(options),
        context_(context) {}

  /// Samples that judge from now on. Forgets earlier outcomes.
  void judge_on(std::shared_ptr<const DataSource> data);
  /// Runs the model, unless it has been run.
  [[nodiscard]] const FormatOutcome& run(const Assignment& assignment);
  [[nodiscard]] bool meets(const Assignment& assignment) { return run(assignment).meets; }
  [[nodiscard]] std::map<std::string, NodeFormat> formats_of(const Assignment& assignment) const;
  [[nodiscard]] QuantizedModel model_of(const Assignment& assignment) const;
  /// Models that were run in all.
  [[nodiscard]] int evaluations() const { return evaluations_; }

 private:
  [[nodiscard]] std::optional<std::string> output_name() const;
  [[nodiscard]] FormatOutcome score(const Model& candidate) const;
  void judge(FormatOutcome& outcome) const;

  const Model& model_;
  const RangesByType& ranges_;
  const QuantizeOptions& quantization_;
  const std::vector<Layer>& layers_;
  const PrecisionOptions& options_;
  const PrecisionContext& context_;
  std::unique_ptr<Reference> reference_;
  std::map<Assignment, FormatOutcome> known_;
  int evaluations_ = 0;
};

}  // namespace quantsearch
