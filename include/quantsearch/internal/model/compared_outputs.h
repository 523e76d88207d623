#pragma once

// Selects the outputs by which a model is compared with another one. Calibration, evaluation,
// reconstruction and mixed precision use this selection, so that they all compare the same outputs.

#include <string>
#include <vector>

#include "quantsearch/model.h"

namespace quantsearch {

enum class OutputRole {
  computed,  // numbers whose shape follows from the shapes of the inputs
  // Numbers whose count depends on computed values: detections that were kept, positions that were
  // found.
  sized_by_data,
  // A graph input, an initializer or what follows from initializers alone: quantization cannot
  // change it.
  passed_on,
  no_numbers,  // strings, complex numbers, sequences, maps, optionals
};

/// The role of each graph output, in the order of the model.
[[nodiscard]] std::vector<OutputRole> output_roles(const Model& model);

struct SkippedOutput {
  std::string name;
  OutputRole role = OutputRole::no_numbers;
  bool operator==(const SkippedOutput&) const = default;
};

/// The computed outputs; if there are none, those sized by data; if there are none of these either,
/// those passed on.
struct ComparedOutputs {
  std::vector<std::string> names;  // in the order of the model; empty when no output holds numbers
  bool sized_by_data = false;      // then their shapes may differ between the two models
  std::vector<SkippedOutput> skipped;
};
[[nodiscard]] ComparedOutputs compared_outputs(const Model& model);

/// Why an output of this role is not compared: "holds no numbers". Throws InternalError for
/// `computed`.
[[nodiscard]] std::string why_not_compared(OutputRole role);

/// The names of the tensors that follow from initializers alone, initializers included.
[[nodiscard]] std::vector<std::string> constant_tensors(const Graph& graph);

}  // namespace quantsearch
