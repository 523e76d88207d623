#pragma once

// How far the quantized model's outputs are from the float model's, end to end: what
// SelectiveUpdate judges by.

#include "finetune/network.h"

namespace quantsearch::reconstruction {

class OutputDistance {
 public:
  /// Runs the float model once over the samples and keeps its outputs. Arguments outlive this.
  OutputDistance(const Model& reference, const DataSource& data, std::int64_t samples,
                 const FinetuneEnvironment& environment, const ByteBudget& kept,
                 SpillFolder& folder);

  /// Energy of the difference over the energy of the float outputs, per output over all samples,
  /// averaged over outputs.
  [[nodiscard]] double of(const Network& quantized) const;

 private:
  std::int64_t samples_;
  std::vector<std::string> names_;
  BatchStore outputs_;
};

}  // namespace quantsearch::reconstruction
