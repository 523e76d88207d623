#pragma once

// Which outputs of a model say how close another model comes to it. Calibration, evaluation,
// reconstruction and mixed precision ask here, so that they all compare the same outputs.

#include <string>
#include <vector>

#include "quantsearch/model.h"

namespace quantsearch {

enum class OutputRole {
  computed,  // numbers whose shape follows from the shapes of the inputs
  // Numbers as many as computed values ask for: detections that were kept, positions that were
  // found.
  sized_by_data,
  // A graph input, an initializer or what follows from initializers alone: no quantizer can change
  // it.
  passed_on,
  no_numbers,  // strings, complex numbers, sequences, maps, optionals
};

/// Of each graph output, in their order.
[[nodiscard]] std::vector<OutputRole> output_roles(const Model& model);

struct SkippedOutput {
  std::string name;
  OutputRole role = OutputRole::no_numbers;
  bool operator==(const SkippedOutput&) const = default;
};

/// The computed outputs. Without any, those that are sized by the data; without these, too, those
/// that are passed on.
struct ComparedOutputs {
  std::vector<std::string> names;  // in the order of the model; empty when no output holds numbers
  bool sized_by_data = false;      // another model's may have another shape
  std::vector<SkippedOutput> skipped;
};
[[nodiscard]] ComparedOutputs compared_outputs(const Model& model);

/// Why an output of this role is not compared: "holds no numbers".
[[nodiscard]] std::string why_not_compared(OutputRole role);

/// The names of the tensors that follow from initializers alone, initializers included.
[[nodiscard]] std::vector<std::string> constant_tensors(const Graph& graph);

}  // namespace quantsearch
