#pragma once

// Measures the end-to-end distance of the quantized model's outputs from the float model's, which
// SelectiveUpdate uses for its decisions.

#include "finetune/network.h"

namespace quantsearch::reconstruction {

class OutputDistance {
 public:
  /// Runs the float model once over the samples and keeps its outputs. The arguments must outlive
  /// the object.
  OutputDistance(const Model& reference, const DataSource& data, std::int64_t samples,
                 const FinetuneEnvironment& environment, const ByteBudget& kept,
                 SpillFolder& folder);

  /// The energy of the difference divided by the energy of the float output, for each output over
  /// all samples, averaged over the outputs.
  [[nodiscard]] double of(const Network& quantized) const;

 private:
  std::int64_t samples_;
  std::vector<std::string> names_;
  BatchStore outputs_;
};

}  // namespace quantsearch::reconstruction
